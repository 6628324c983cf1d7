import { describe, expect, it } from 'vitest';
import { definePlugin } from '../../../src/index.ts';
import { catalogue } from '../../../src/pdk/catalogue.ts';
import type { FunctionRow, ResultKind } from '../../../src/pdk/catalogue.ts';
import type { Phase, Protocol } from '../../../src/pdk/names/phases.ts';
import { compileOverrides, testPath } from '../../../src/testing/overrides.ts';
import type { Overrides } from '../../../src/testing/index.ts';
import { testPlugin } from '../../../src/testing/index.ts';
import { protocols, withAccess } from './plugins.ts';

/** A value that no described request has, for each kind of result. */
const samples: Readonly<Record<ResultKind, unknown>> = {
  void: undefined,
  text: 'overridden',
  number: 4711,
  boolean: true,
  value: { deep: [1, { more: 'text' }] },
  headers: { 'x-one': 'a', 'x-two': ['b', 'c'] },
  query: { one: '1', many: ['2', '3'], flag: true },
  bytes: Buffer.from([0, 255, 128, 10]),
  rawBody: Buffer.from([0, 255, 128, 10]),
  captures: { unnamed: ['first'], named: { id: '7' } },
  consumer: { id: 'c1', username: 'ada' },
  credential: { id: 'k1', consumer_id: 'c1' },
  route: { id: 'r1', name: 'orders', paths: ['/orders'] },
  service: { id: 's1', name: 'shop', port: 8080 },
  memoryStats: { lua_shared_dicts: {}, workers_lua_vms: [] },
  record: { client_ip: '1.2.3.4', workspace: 'w' },
};

/** Arguments that pass the checks, by name of the check. */
const sampleArguments: Record<string, unknown> = {
  text: 'text',
  upstream: 'other.test',
  flag: true,
  depth: 1,
  clientVerify: 'NONE',
  headerName: 'x-name',
  headerValue: 'v',
  headers: { a: 'b' },
  consumerId: '8b7d9e1f-84f6-5469-9920-0d46dcd39c04',
  json: { a: 1 },
  ctxKey: 'my_key',
  setCtxKey: 'my_key',
  record: { id: '8b7d9e1f-84f6-5469-9920-0d46dcd39c04' },
  form: { a: 'b' },
};

const httpPhases: readonly Phase[] = ['access', 'log', 'response', 'rewrite', 'preread', 'certificate'];

/** Calls one function and says what the plugin got. */
async function overridden(row: FunctionRow, protocol: Protocol): Promise<unknown> {
  const path = testPath(row, row.name);
  const phase = httpPhases.find((each) => row.offered[protocol].includes(each)) as Phase;
  const args = row.arguments.filter((one) => one.optional !== true).map((one) => sampleArguments[one.check]);
  let got: unknown;
  const plugin = definePlugin({
    name: 'calls-one',
    version: '1.0.0',
    protocol,
    async [phase](kong: object) {
      const names = path.split('.');
      const last = names.pop() as string;
      const owner = names.reduce<object>((at, name) => Reflect.get(at, name) as object, kong);
      got = await (Reflect.get(owner, last) as (...all: unknown[]) => unknown).apply(owner, args);
    },
  } as Parameters<typeof definePlugin>[0]);
  const value = samples[row.result.kind];
  const t = await testPlugin(plugin, { override: { [path]: () => value } });
  const { error, failure, calls } = await t.phase(phase);
  await t.close();
  expect({ path, error, failure }).toEqual({ path, error: null, failure: null });
  expect(calls.filter((call) => call.overridden)).toMatchObject([{ function: path, error: null }]);
  return got;
}

describe.each(protocols)('over %s', (protocol) => {
  const getters = catalogue.filter(
    (row) =>
      row.offered[protocol].length > 0 && row.result.kind !== 'void' && row.arguments[0]?.rest !== true,
  );

  it('every getter of the PDK can be overridden, and the plugin gets what the override returns', async () => {
    expect(getters.length).toBeGreaterThan(40);
    for (const row of getters) {
      const got = await overridden(row, protocol);
      const wanted = samples[row.result.kind];
      if (typeof wanted === 'object' && !Buffer.isBuffer(wanted)) expect(got).toMatchObject(wanted as object);
      else expect({ path: row.path, got }).toEqual({ path: row.path, got: wanted });
    }
  });

  it('absent values are null', async () => {
    const plugin = withAccess(async (kong) => {
      const [header, consumer] = await Promise.all([kong.request.getHeader('a'), kong.client.getConsumer()]);
      await kong.response.exit(200, { header, consumer });
    });
    const override: Overrides = { 'request.getHeader': () => null, 'client.getConsumer': () => null };
    const t = await testPlugin(plugin, {
      protocol,
      override,
      consumer: {},
      request: { headers: { a: 'b' } },
    });
    expect((await t.access()).calls).toMatchObject([{ result: null }, { result: null }, {}]);
    await t.close();
  });

  it('one that throws is a call that fails: Kong ends the event with a 500', async () => {
    const plugin = withAccess(async (kong) => {
      await kong.response.setHeader('x-before', '1');
      await kong.request.getHeader('x-name');
      await kong.response.setHeader('x-after', '1');
    });
    const override: Overrides = {
      'request.getHeader': () => {
        throw new Error('Kong is tired');
      },
    };
    const t = await testPlugin(plugin, { protocol, override });
    const result = await t.access();
    expect(result).toMatchObject({
      exit: { status: 500, by: 'kong' },
      failure: expect.stringContaining('Kong is tired') as string,
    });
    expect(result.calls.at(-1)).toMatchObject({
      function: 'request.getHeader',
      error: expect.anything() as unknown,
    });
    expect(result.calls.map((call) => call.arguments[0])).not.toContain('x-after');
    await t.close();
  });

  it('gets the arguments and may be asynchronous; others replace it for one request', async () => {
    const plugin = withAccess(async (kong) =>
      kong.response.exit(200, String(await kong.request.getHeader('a-name'))),
    );
    const t = await testPlugin(plugin, {
      protocol,
      override: { 'request.getHeader': async (name) => Promise.resolve(`value of ${name}`) },
    });
    expect((await t.access()).exit?.text).toBe('value of a-name');
    expect((await t.request({ override: { 'request.getHeader': () => 'other' } }).access()).exit?.text).toBe(
      'other',
    );
    expect((await t.request().access()).exit?.text).toBe('value of a-name');
    await t.close();
  });
});

describe('a composed function', () => {
  const plugin = withAccess(async (kong) =>
    kong.response.exit(200, String(await kong.request.getQueryArg('q'))),
  );

  it('is answered on the side of the plugin, checked as usual', async () => {
    const t = await testPlugin(plugin, { override: { 'request.getQueryArg': (name) => `${name}!` } });
    const { exit, calls } = await t.access();
    expect(exit?.text).toBe('q!');
    expect(calls[0]).toEqual({
      function: 'request.getQueryArg',
      arguments: ['q'],
      result: 'q!',
      error: null,
      overridden: true,
    });
    await t.close();
  });

  it('rejects where the override throws', async () => {
    const override: Overrides = {
      'request.getQueryArg': () => {
        throw new Error('no');
      },
    };
    const t = await testPlugin(plugin, { override });
    expect((await t.access()).error).toMatchObject({
      code: 'PDK_CALL_FAILED',
      message: /getQueryArg\(\) failed: no/,
    });
    await t.close();
  });

  it('cannot be overridden for a server in another process: its parts can', () => {
    const override = { 'request.getQueryArg': () => null };
    expect(() => compileOverrides(override, 'protobuf', false)).toThrow(
      /Override what it calls: request\.getRawQuery/,
    );
  });
});

describe('an override that cannot be', () => {
  const plugin = withAccess(() => undefined);
  const refused = (override: object) => testPlugin(plugin, { override: override });

  it('is refused with a way out', async () => {
    await expect(refused({ 'request.getHeadr': () => 'x' })).rejects.toMatchObject({
      code: 'TEST_MISUSE',
      message: `The PDK has no function "request.getHeadr" to override. Did you mean 'request.getHeader'?`,
    });
    await expect(refused({ 'kong.request.get_header': () => 'x' })).rejects.toThrow(
      /mean 'request\.getHeader'/,
    );
    await expect(refused({ nonsense: () => 'x' })).rejects.toThrow(/docs\/pdk\.md lists them/);
    await expect(refused({ 'request.getHeader': 'x' })).rejects.toThrow(/is not a function/);
    await expect(refused({ 'response.exit': () => 'x' })).rejects.toThrow(/Look at the result: exit/);
    await expect(
      testPlugin(plugin, { protocol: 'protobuf', override: { 'vault.get': () => 'x' } }),
    ).rejects.toThrow(/cannot be called over ProtoBuf:1.*protocol: 'msgpack'/);
  });
});
