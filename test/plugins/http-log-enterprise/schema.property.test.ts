import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import plugin from '../../../plugins/http-log-enterprise/index.ts';
import { compileSchema } from '../../../src/kong-schema/index.ts';
import { startInstance } from './support/instance.ts';
import { adminExchanges } from './support/records.ts';
import { startSink } from './support/sink.ts';

/**
 * What http-log-enterprise's dump makes Kong accept and refuse, against the schema of Kong's own http-log as
 * `GET /schemas/plugins/http-log` showed it on Kong 3.9.3: the same values, the same defaults, the same error texts.
 */

type Field = Record<string, unknown>;
type Definition = Parameters<typeof compileSchema>[0];

const recorded = adminExchanges.find(
  ({ request }) => request.method === 'GET' && request.path === '/schemas/plugins/http-log',
)?.response.body as Field;
const kongs = compileSchema({ name: 'plugins', ...recorded } as unknown as Definition);
const ours = compileSchema({ name: 'plugins', fields: plugin.schema.fields } as unknown as Definition);
const shared = Object.keys(
  Object.assign({}, ...(configOf(recorded['fields'])['fields'] as Field[])) as Field,
);

function configOf(fields: unknown): Field {
  return (Object.assign({}, ...(fields as Field[])) as { config: Field }).config;
}

/** The shared fields of an outcome; absent and null are the same in a configuration. */
function outcome(schema: typeof ours, config: unknown): unknown {
  const result = schema.process({ config }) as unknown as {
    value?: { config?: Field };
    errors?: { config?: unknown };
  };
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value ?? {}, (_key, member: unknown) => member ?? undefined)) as unknown;
  if (result.errors !== undefined) return { errors: plain(result.errors) };
  const values = plain(result.value?.config) as Field;
  return { values: Object.fromEntries(Object.entries(values).filter(([name]) => shared.includes(name))) };
}

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a',
    'POST',
    'post',
    'application/json',
    'hOst',
    'Content-Type',
    'x',
    '{vault://env/x}',
  ),
  fc.string({ maxLength: 12 }),
);
const number = fc.oneof(
  fc.constantFrom(-1, 0, 1, 2, 0.001, 0.0005, 1.5, 3600, 3601, 1_000_000, 1_000_001, 1e15, -0.5),
  fc.integer(),
  // Beyond 2^53 a JSON number is no exact integer any more; an instance refuses it, Kong's Lua cannot tell.
  fc.double({ noNaN: true, min: -9e15, max: 9e15 }),
);
const odd = fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 2 }));
/** Mostly what belongs there, sometimes anything. */
const often = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: odd });
const map = fc.dictionary(fc.oneof(text, fc.constantFrom('x-a', 'Authorization')), often(text), {
  maxKeys: 3,
});

const queue = fc.record(
  {
    max_batch_size: often(number),
    max_coalescing_delay: often(number),
    max_entries: often(number),
    max_bytes: often(number),
    max_retry_time: often(number),
    initial_retry_delay: often(number),
    max_retry_delay: often(number),
    concurrency_limit: often(number),
    bogus: odd,
  },
  { requiredKeys: [] },
);

const config = fc.record(
  {
    // Kong checks URLs in Lua; what it refuses is in parity.test.ts.
    http_endpoint: fc.constantFrom(
      'http://h/',
      'https://u:p@h:1/x?y=z',
      null,
      '',
      7,
      'http://h',
      '{vault://env/url}',
    ),
    method: often(text),
    content_type: often(text),
    timeout: often(number),
    keepalive: often(number),
    retry_count: often(number),
    queue_size: often(number),
    flush_timeout: often(number),
    headers: often(map),
    queue: often(queue),
    custom_fields_by_lua: often(map),
  },
  { requiredKeys: [] },
);

describe('the dumped schema', () => {
  it('accepts, fills in and refuses what the schema of http-log does', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: config }, { weight: 1, arbitrary: odd }), (given) => {
        expect(outcome(ours, structuredClone(given))).toEqual(outcome(kongs, structuredClone(given)));
      }),
      { numRuns: 600 },
    );
  });

  it('accepts nothing with which no record would arrive', async () => {
    const sink = await startSink();
    const time = fc.constantFrom(0, 2000.5, 3600, 1e12, -1);
    const whole = fc.constantFrom(1, 2, 1000, 1_000_000);
    const accepted = fc.record(
      {
        timeout: time,
        keepalive: time,
        retry_count: whole,
        queue_size: fc.constantFrom(-5, 0, 1, 2, 100),
        flush_timeout: time,
        headers: fc.constantFrom({}, { 'x-a': 'b' }, { authorization: 'x', X_b: 'ä' }),
        queue: fc.record(
          {
            max_batch_size: whole,
            max_coalescing_delay: fc.constantFrom(0, 0.001, 3600),
            max_entries: whole,
            max_bytes: fc.constant(1_000_000),
            max_retry_time: time,
            concurrency_limit: fc.constantFrom(-1, 1),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(accepted, async (given) => {
        const result = kongs.process({
          config: { ...structuredClone(given), http_endpoint: sink.url },
        });
        expect(result).not.toHaveProperty('errors');
        const { config: value } = (result as unknown as { value: { config: Field } }).value;
        const before = sink.received.length;
        const instance = await startInstance(value);
        await instance.record('{}');
        await instance.close();
        expect([sink.received.length - before, instance.values.get('http_log_sent_total')]).toEqual([1, 1]);
      }),
      { numRuns: 100 },
    );
    await sink.close();
  });
});
