import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSettings } from '../../../plugins/http-log-enterprise/config/settings.ts';
import type { Config } from '../../../plugins/http-log-enterprise/config/schema.ts';
import plugin from '../../../plugins/http-log-enterprise/index.ts';
import { compileCustomFields } from '../../../plugins/http-log-enterprise/record/custom-fields.ts';
import { systemClock } from '../../../plugins/http-log-enterprise/queue/clock.ts';
import { compileRecords } from '../../../plugins/http-log-enterprise/refusal.ts';
import { Reports } from '../../../plugins/http-log-enterprise/reports.ts';
import { compileSchema } from '../../../src/kong-end/schema/index.ts';
import { memoryLog, startInstance } from './support/instance.ts';
import type { Field } from './support/http-log-rules.ts';
import {
  hasBothCredentials,
  hasConnectionHeader,
  httpLogFields,
  httpLogOutcome,
  isNeverSent,
  outcomeOf,
} from './support/http-log-rules.ts';
import { startSink } from './support/sink.ts';

/**
 * What http-log-enterprise's dump makes Kong accept and refuse, and what an instance then refuses, against the rules of
 * Kong's own http-log: the same values, the same defaults, the same error texts.
 */

const ours = compileSchema({ name: 'plugins', fields: plugin.schema.fields } as unknown as Parameters<
  typeof compileSchema
>[0]);

const sharedOf = (config: Field): Field =>
  Object.fromEntries(Object.entries(config).filter(([name]) => httpLogFields.includes(name)));

const text = fc.oneof(
  fc.constantFrom('', ' ', 'a', 'POST', 'post', 'application/json', 'x', '{vault://env/x}'),
  fc.string({ maxLength: 12 }),
);
const number = fc.oneof(
  fc.constantFrom(-1, 0, 1, 2, 0.001, 0.0005, 1.5, 3600, 3601, 1_000_000, 1_000_001, 1e15, 1e300, -0.5),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const odd = fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 2 }));
/** Mostly what belongs there, sometimes anything. */
const often = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

const headerName = fc.oneof(
  fc.constantFrom('x-a', 'X_b', 'Authorization', 'authoRIZAtion', 'hOst', 'Content-Type', 'content-LENGTH'),
  fc.constantFrom('a b', 'é', 'a:b', 'X-A.b', 'a\n', '', ' x', 'Transfer-Encoding', 'expect', 'UPGRADE'),
  fc.constantFrom('Keep-Alive', 'Content-LeNgth', 'Connection', 'TE'),
  fc.string({ maxLength: 4 }),
);
const headerValue = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('b', 'ä☃', 'a\tb', 'close', ' ') },
  { weight: 1, arbitrary: fc.constantFrom('a\r\nb', '\0', '\x7f', '', 7, null, '{vault://env/x}') },
);
const headers = fc.dictionary(headerName, headerValue, { maxKeys: 2 });

const url = fc.oneof(
  fc.constantFrom('http://h/', 'https://u:p@h:1/x?y=z', 'http://h'),
  fc.constantFrom('https://h.test/a/../b', '{vault://env/url}', '', 7, null),
  fc.constantFrom(
    'http:///p',
    'file:///x',
    '1http://h',
    ' http://h',
    '//h/x',
    'log',
    'http:/h',
    'ftp://h:21/',
  ),
  fc
    .tuple(
      fc.constantFrom('http', 'https', 'HTTP', 'ftp', '1http', 'h+t', '', ' http', '-x', 'ht#tp', 'é'),
      fc.constantFrom(':', ':', ':', '', '::'),
      fc.constantFrom('//', '//', '//', '/', '', '///'),
      fc.constantFrom('', '', 'u:p@', '@', 'a@b@', 'u:p%40ss@', ':@'),
      fc.constantFrom('h', 'h.test', '[::1]', '[]', '', 'ä.test', 'h h', '?', '#', 'a:b'),
      fc.constantFrom('', '', ':', ':80', ':abc', ':99999'),
      fc.constantFrom('', '/', '/a/../b', '/p?x=1#f', '?x=a@b', '#f', '/é b', ' ', '\\p', '/;x', '\n'),
    )
    .map((parts) => parts.join('')),
  fc.string({ maxLength: 20 }),
);

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

const others: Record<string, fc.Arbitrary<unknown>> = {
  method: often(fc.constantFrom('POST', 'PUT', 'PATCH', 'GET')),
  content_type: often(fc.constantFrom('application/json', 'application/json; charset=utf-8')),
  timeout: often(number),
  keepalive: often(number),
  retry_count: often(number),
  queue_size: often(number),
  flush_timeout: often(number),
  queue: often(queue),
  custom_fields_by_lua: often(fc.dictionary(text, often(text), { maxKeys: 3 })),
};

/** All fields at once would be refused nearly always: at most two of the others are there. */
const config = fc
  .tuple(
    url,
    fc.option(often(headers), { nil: undefined }),
    fc.subarray(Object.keys(others), { maxLength: 2 }),
  )
  .chain(([http_endpoint, given, names]) =>
    fc.record(Object.fromEntries(names.map((name) => [name, others[name] ?? odd]))).map((rest): Field => ({
      ...(http_endpoint === null ? {} : { http_endpoint }),
      ...(given === undefined ? {} : { headers: given }),
      ...rest,
    })),
  );

/** Kong names the header in its text, which a pattern of a schema cannot. */
const withoutName = (errors: unknown): unknown =>
  JSON.parse(
    JSON.stringify(errors).replaceAll(/bad header name '.*?', allowed/g, 'bad header name, allowed'),
  );

const without = (errors: Field, names: readonly string[]): unknown =>
  typeof errors['config'] === 'object'
    ? Object.entries(errors['config'] as Field).filter(([name]) => !names.includes(name))
    : errors;

/** Whether an instance has to refuse what Kong has accepted: nothing could be sent, or http-log refuses it in Lua. */
function isRefusedAtStart(given: Field): boolean {
  const endpoint = String(given['http_endpoint']);
  const authority = /^[^:]*:\/\/(?:[^/?#]*@)?([^/?#@]*)/.exec(endpoint.trimEnd())?.[1] ?? '';
  // A null in Kong is not a timeout at all: here the default counts, where http-log would fail on each record.
  const timeout = Number(given['timeout'] ?? 10_000);
  const values = Object.entries((given['headers'] ?? {}) as Record<string, string>);
  return (
    hasBothCredentials(given) ||
    endpoint.startsWith('{vault:') ||
    /[\s\\]/.test(authority) ||
    !URL.canParse(`http://${authority}`) ||
    !(timeout > -1 && timeout <= 0x7fffffff) ||
    values.some(
      ([name, value]) =>
        value.startsWith('{vault:') ||
        /[\0\r\n\x7f]/.test(value) ||
        (name.toLowerCase() === 'connection' && !/^[a-z]+$/.test(value)),
    )
  );
}

/** Sources of Lua, and whether LuaJIT, built as Kong builds it, compiles them: by hand, and mutated at random. */
const sources = JSON.parse(
  readFileSync(new URL('../../fixtures/lua/luajit-syntax.json', import.meta.url), 'utf8'),
) as { source: string; verdict: string }[];

const verdicts = { refused: 0, refusedAtStart: 0, accepted: 0 };

function compareVerdicts(given: unknown): void {
  const kong = httpLogOutcome(given);
  const own = outcomeOf(ours, given);
  if ('errors' in kong) {
    verdicts.refused += 1;
    expect(own).toHaveProperty('errors');
    const errors = (own as { errors: { config?: Field } }).errors;
    // With two bad names in a table, which of them is told is not fixed.
    const told = hasConnectionHeader(given) ? ['headers'] : [];
    if (errors.config?.['http_endpoint'] === 'the scheme has to be http or https') told.push('http_endpoint');
    expect(without(errors, told)).toEqual(without(withoutName(kong.errors) as Field, told));
    return;
  }
  if (isNeverSent(kong.config)) {
    expect(own).toHaveProperty('errors');
    return;
  }
  expect(own).not.toHaveProperty('errors');
  const filled = (own as { config: Field }).config;
  expect(sharedOf(filled)).toEqual(kong.config);
  const { refusal } = compileSettings(plugin.parseConfig(filled) as Config);
  expect([given, refusal === null]).toEqual([given, !isRefusedAtStart(filled)]);
  if (refusal === null) verdicts.accepted += 1;
  else verdicts.refusedAtStart += 1;
}

describe('the verdict on a configuration', () => {
  it('is that of http-log for 2,000 configurations, in the dump or when the instance starts', () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 19, arbitrary: config }, { weight: 1, arbitrary: odd }),
        compareVerdicts,
      ),
      { numRuns: 2000 },
    );
    // The configurations are worth something: every verdict comes often.
    expect(Math.min(...Object.values(verdicts))).toBeGreaterThan(20);
  });

  it('on Lua is that of LuaJIT for sources that were recorded, two in a configuration', async () => {
    const { log } = memoryLog();
    // Every fifth: each source has its verdict in the tests of Lua, too.
    const pairs = sources
      .map(({ source: a, verdict }, i) => {
        const { source: b, verdict: other } = sources[i % 2 === 0 ? 0 : (i * 7 + 3) % sources.length] ?? {
          source: a,
          verdict,
        };
        return { a, b, verdict: verdict === 'ok' && other === 'ok' ? 'ok' : 'refused' };
      })
      .filter(({ a, b }, i) => i % 5 === 0 && a !== '' && b !== '');
    expect(pairs.length).toBeGreaterThan(100);
    // The thread of the Lua ends with the last configuration that has some: one stays.
    const keeper = await compileCustomFields([['n', 'return 1']], log, Date.now, () => undefined);
    const outcomes: string[] = [];
    for (const { a, b } of pairs) {
      const outcome = outcomeOf(ours, { http_endpoint: 'http://h/', custom_fields_by_lua: { a, b } });
      if ('errors' in outcome) throw new Error(JSON.stringify(outcome.errors));
      const settings = compileSettings(plugin.parseConfig(outcome.config) as Config);
      const records = await compileRecords(settings, log, new Reports(log, systemClock, 60_000));
      await records.pipeline.close();
      outcomes.push(records.settings.refusal === null ? 'ok' : 'refused');
    }
    await keeper?.close();
    const wrong = pairs.filter(({ verdict }, i) => outcomes[i] !== verdict);
    expect(wrong).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === 'ok').length).toBeGreaterThan(20);
    expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThan(20);
  });

  it('is to accept nothing with which no record would arrive', async () => {
    const sink = await startSink();
    const time = fc.constantFrom(0, 0.5, 2000.5, 3600);
    const anyTime = fc.constantFrom(0, 2000.5, 3600, 1e12, -1);
    const whole = fc.constantFrom(1, 2, 1000, 1_000_000);
    const accepted = fc.record(
      {
        timeout: time,
        keepalive: anyTime,
        retry_count: whole,
        queue_size: fc.constantFrom(-5, 0, 1, 2, 100),
        flush_timeout: fc.constantFrom(0, -1, 0.001),
        headers: fc.dictionary(
          fc.constantFrom('x-a', 'Authorization', 'X_b', 'TE', 'Connection', 'Accept', 'Content-Encoding'),
          fc.constantFrom('b', 'close', 'ä☃'),
          { maxKeys: 2 },
        ),
        queue: fc.record(
          {
            max_batch_size: whole,
            max_coalescing_delay: fc.constantFrom(0, 0.001, 3600),
            max_entries: whole,
            max_bytes: fc.constantFrom(1_000_000, 1e300),
            max_retry_time: anyTime,
            concurrency_limit: fc.constantFrom(-1, 1),
          },
          { requiredKeys: [] },
        ),
        path: fc.constantFrom('', '/', '/a/../b', '//a', '/é', '/a b', '?q=1', '/;x?y#z', '/%zz'),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(accepted, async ({ path = '', ...given }) => {
        const outcome = httpLogOutcome({ ...given, http_endpoint: `${sink.url}${path}` });
        fc.pre('config' in outcome && given.headers?.Connection !== 'ä☃');
        const before = sink.received.length;
        const instance = await startInstance(outcome.config);
        await instance.record('{}');
        await instance.close();
        expect([
          instance.lines.filter(({ level }) => level === 'error'),
          sink.received.length - before,
        ]).toEqual([[], 1]);
        expect(instance.values.get('http_log_sent_total')).toBe(1);
      }),
      { numRuns: 100 },
    );
    await sink.close();
  });
});
