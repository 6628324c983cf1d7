import { afterEach, describe, expect, it } from 'vitest';
import plugin from '../../../plugins/http-log-enterprise/index.ts';
import { compileSchema } from '../../../src/kong-end/schema/index.ts';
import type { Running } from './support/instance.ts';
import { startInstance } from './support/instance.ts';
import { adminExchanges, deliveries, recordOf } from './support/records.ts';
import type { Sink } from './support/sink.ts';
import { startSink } from './support/sink.ts';

type Field = Record<string, unknown>;
const byName = (fields: unknown): Record<string, Field> =>
  Object.assign({}, ...(fields as Record<string, Field>[])) as Record<string, Field>;

const exchange = (method: string, path: string, hasEndpoint?: boolean) => {
  const found = adminExchanges.find(
    ({ request }) =>
      request.method === method &&
      request.path === path &&
      (hasEndpoint === undefined ||
        ((request.body as Field | undefined)?.['name'] === 'http-log' &&
          JSON.stringify(request.body).includes('http_endpoint') === hasEndpoint)),
  );
  if (found === undefined) throw new Error(`${method} ${path} was not recorded`);
  return found.response.body as Field;
};

const kongs = byName(byName(exchange('GET', '/schemas/plugins/http-log')['fields'])['config']?.['fields']);
const ours = byName(byName(plugin.schema.fields)['config']?.['fields']);

/** What decides about a configuration; the rest (descriptions, order) is for people. */
const deciding = [
  'type',
  'default',
  'one_of',
  'between',
  'referenceable',
  'encrypted',
  'deprecation',
  'match_none',
];
const essence = (field: Field): Field =>
  Object.fromEntries(deciding.filter((key) => field[key] !== undefined).map((key) => [key, field[key]]));

/** Kong's own patterns are there; those in place of its checks in Lua come on top (schema.property.test.ts). */
function expectEssence(own: Field, kong: Field): void {
  const { match_none: kongPatterns = [], ...kongRest } = essence(kong);
  const { match_none: ownPatterns = [], ...ownRest } = essence(own);
  expect(ownRest).toEqual(kongRest);
  expect(ownPatterns).toEqual(expect.arrayContaining(kongPatterns as unknown[]));
}

describe('the schema', () => {
  it.each(Object.keys(kongs).filter((name) => name !== 'queue'))('has %s as Kong has it', (name) => {
    expectEssence(ours[name] ?? {}, kongs[name] ?? {});
    for (const part of ['keys', 'values']) {
      const [kong, own] = [kongs[name]?.[part] as Field | undefined, ours[name]?.[part] as Field | undefined];
      if (kong !== undefined) expectEssence(own ?? {}, kong);
    }
  });

  it('has the queue as Kong has it', () => {
    const [kong, own] = [byName(kongs['queue']?.['fields']), byName(ours['queue']?.['fields'])];
    expect(Object.keys(own)).toEqual(Object.keys(kong));
    for (const [name, field] of Object.entries(kong))
      expect(essence(own[name] ?? {})).toEqual(essence(field));
  });
});

const check = compileSchema({ name: 'config', fields: plugin.schema.fields } as unknown as Parameters<
  typeof compileSchema
>[0]);
const process = (config: Field): { value?: unknown; errors?: unknown } => check.process({ config });

/** Absent and null are the same in a configuration. */
const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, member: unknown) => member ?? undefined) ?? 'null') as unknown;

describe('answers of the Admin API', () => {
  it('fills the defaults that Kong recorded', () => {
    const recorded = exchange('POST', '/plugins', true)['config'] as Field;
    const filled = (process({ http_endpoint: 'http://127.0.0.1:1/' }).value as { config: Field }).config;
    for (const [name, value] of Object.entries(recorded)) {
      expect([name, withoutNulls(filled[name] ?? null)]).toEqual([name, withoutNulls(value)]);
    }
  });

  it('takes the configuration that Kong sends, nulls included', async () => {
    const recorded = exchange('POST', '/plugins', true)['config'] as Field;
    const instance = await startInstance(recorded);
    await instance.close();
    expect(instance.lines).toEqual([]);
  });

  it('refuses a missing endpoint with the recorded text', () => {
    expect(process({}).errors).toEqual(exchange('POST', '/plugins', false)['fields']);
  });

  it.each([
    [{ http_endpoint: 'log' }, /missing (host|scheme) in url/],
    [{ http_endpoint: 'http://h/', headers: { hOst: 'x' } }, /cannot contain 'Host' header/],
    [
      { http_endpoint: 'http://h/', headers: { 'coNTEnt-Length': '1' } },
      /cannot contain 'Content-Length' header/,
    ],
    [
      { http_endpoint: 'http://h/', headers: { 'coNTEnt-Type': 'x' } },
      /cannot contain 'Content-Type' header/,
    ],
    [{ http_endpoint: 'http://h/', headers: { a: '' } }, /length must be at least 1/],
    [{ http_endpoint: 'http://h/', method: 'GET' }, /expected one of: POST, PUT, PATCH/],
    [{ http_endpoint: 'http://h/', queue: { concurrency_limit: 2 } }, /expected one of: -1, 1/],
    [{ http_endpoint: 'http://h/', queue: { max_batch_size: 0 } }, /value should be between 1 and 1000000/],
    [{ http_endpoint: 'http://h/', bogus: 1 }, /unknown field/],
  ])('refuses %j', (config, text) => {
    expect(JSON.stringify(process(config).errors)).toMatch(text);
  });
});

const running: Running[] = [];
const sinks: Sink[] = [];
afterEach(async () => {
  for (const instance of running.splice(0)) await instance.close();
  for (const sink of sinks.splice(0)) await sink.close();
});

async function start(config: (url: string) => Field): Promise<{ sink: Sink; instance: Running }> {
  const sink = await startSink();
  sinks.push(sink);
  const instance = await startInstance({ shutdown_grace: 0, ...config(sink.url) });
  running.push(instance);
  return { sink, instance };
}

describe('deliveries', () => {
  const [log, solo, dead] = deliveries.deliveries;

  it('/log: one record, custom fields that nest, remove and add', async () => {
    const { sink, instance } = await start((url) => ({
      http_endpoint: `${url}/log`,
      headers: { 'x-a': 'b' },
      custom_fields_by_lua: { 'route.extra': "return 'x'", service: 'return nil', n: 'return 42' },
    }));
    const sent = structuredClone(log?.body) as Field & { route: Field };
    delete sent['n'];
    delete sent.route['extra'];
    await instance.record(JSON.stringify({ ...sent, service: { id: 's' } }));
    await sink.until(1);
    const [received] = sink.received;
    expect(JSON.parse(received?.body ?? '')).toEqual(log?.body);
    expect(received).toMatchObject({ method: log?.method, path: log?.path });
    for (const name of ['x-a', 'content-type', 'content-length']) {
      expect([name, received?.headers[name]]).toEqual([name, log?.headers[name]]);
    }
  });

  it('/solo: legacy fields make a batch of two in an array, and warn', async () => {
    const { sink, instance } = await start((url) => ({
      http_endpoint: `${url}/solo`,
      queue_size: 2,
      flush_timeout: 1,
      retry_count: 3,
    }));
    for (const record of solo?.body as unknown[]) await instance.record(JSON.stringify(record));
    await sink.until(1);
    expect(JSON.parse(sink.received[0]?.body ?? '')).toEqual(solo?.body);
    expect(sink.received[0]?.headers['content-length']).toBe(solo?.headers['content-length']);
    expect(instance.lines.map(({ message }) => message.replace(/,.*/, ''))).toEqual([
      'the retry_count parameter no longer works',
      'the queue_size parameter is deprecated',
      'the flush_timeout parameter is deprecated',
    ]);
  });

  it('/dead: records of failed upstreams go out as well', async () => {
    const { sink, instance } = await start((url) => ({ http_endpoint: `${url}/dead` }));
    await instance.record(JSON.stringify(dead?.body));
    await sink.until(1);
    expect(JSON.parse(sink.received[0]?.body ?? '')).toEqual(dead?.body);
  });

  it.each(['protobuf-log-phase', 'protobuf-stream-preread'])(
    'of %s: only numbers with more than 14 digits differ from what Kong gave',
    async (transcript) => {
      const { sink, instance } = await start((url) => ({ http_endpoint: url }));
      const record = recordOf(transcript).toString('utf8');
      await instance.record(record);
      await sink.until(1);
      const blank = (text: string) => text.replaceAll(/"balancer_start_ns":[^,]+/g, '"balancer_start_ns":N');
      expect(blank(sink.received[0]?.body ?? '')).toBe(blank(record));
      expect(sink.received[0]?.body).toMatch(/"balancer_start_ns":1\.\d{1,13}e\+18/);
    },
  );
});

describe('custom fields', () => {
  it('see the request through kong.*, and leave all other bytes alone', async () => {
    const { sink, instance } = await start((url) => ({
      http_endpoint: url,
      custom_fields_by_lua: {
        who: 'local c = kong.client.get_consumer() return c and c.username',
        agent: 'return kong.request.get_header("User_Agent")',
        path: 'return kong.request.get_path() .. "?" .. kong.request.get_query_arg("foo")',
        where: 'return kong.router.get_route().name .. kong.response.get_status()',
        whole: 'return kong.log.serialize().client_ip',
      },
    }));
    const record = recordOf('protobuf-log-phase').toString('utf8');
    await instance.record(record);
    await sink.until(1);
    const body = sink.received[0]?.body ?? '';
    expect(body.slice(0, 400)).toBe(record.slice(0, 400));
    expect(JSON.parse(body)).toMatchObject({
      who: 'alice',
      agent: 'probe/1',
      path: '/cap/th ing/42?bar',
      where: 'cap-route200',
      whole: '127.0.0.1',
    });
  });

  it('that fail leave the record as it was, with one line in the log', async () => {
    const { sink, instance } = await start((url) => ({
      http_endpoint: url,
      custom_fields_by_lua: { bad: 'return nil + 1', loop: 'while true do end', good: 'return 1' },
    }));
    for (let i = 0; i < 2; i++) await instance.record('{"client_ip":"::1"}');
    await sink.until(2);
    expect(sink.received.map(({ body }) => body)).toEqual(Array(2).fill('{"client_ip":"::1","good":1}'));
    expect(instance.lines.map(({ message }) => message.split(':')[0])).toEqual([
      'custom_fields_by_lua.bad',
      'custom_fields_by_lua.loop',
    ]);
  });

  it('that run away again and again are switched off, so that they cost the others no more time', async () => {
    const { sink, instance } = await start((url) => ({
      http_endpoint: url,
      custom_fields_by_lua: { loop: 'kong.log.notice("ran") while true do end', good: 'return 1' },
    }));
    for (let i = 0; i < 23; i++) await instance.record('{}');
    await sink.until(23);
    expect(new Set(sink.received.map(({ body }) => body))).toEqual(new Set(['{"good":1}']));
    expect(instance.lines.map(({ message }) => message)).toEqual([
      'ran',
      expect.stringMatching(/loop: .*time limit.*left as it was/),
      'ran',
      'ran',
      expect.stringMatching(/loop: .*time limit.*switched off for a minute/),
    ]);
  });

  it('say what cannot be had in the log phase', async () => {
    const { sink, instance } = await start((url) => ({
      http_endpoint: url,
      custom_fields_by_lua: { body: 'return kong.request.get_raw_body()' },
    }));
    await instance.record('{}');
    await sink.until(1);
    expect(instance.lines[0]?.message).toMatch(/kong.request.get_raw_body cannot be had in the log phase/);
  });
});
