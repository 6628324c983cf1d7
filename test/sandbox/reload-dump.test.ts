import { afterEach, describe, expect, test } from 'vitest';
import type { RequestReport } from '../../src/sandbox/index.ts';
import { send } from './support/client.ts';
import type { TestGateway } from './support/gateway.ts';
import { defaultConfig, probeDump, testGateway } from './support/gateway.ts';

let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  gateway = null;
});

interface Dump {
  Plugins: [{ Phases: string[]; Priority: number; Schema: { fields: { config: { fields: object[] } }[] } }];
}

const script = { access: [['kong.request.get_method']], log: [] } as const;

test('a reload reads the dumps anew, as Kong does: schema, phases, and what the Admin API shows', async () => {
  const dump = probeDump('protobuf', ['access']) as Dump;
  gateway = await testGateway({
    script,
    dump: () => structuredClone(dump),
    sandbox: { workerStartMs: 0, adminListen: '127.0.0.1:0' },
  });
  const { sandbox, server, writeConfig, upstream } = gateway;
  await send(`${sandbox.proxyUrl ?? ''}/`);
  expect(server.instances.at(-1)?.config).not.toHaveProperty('added');

  dump.Plugins[0].Phases.push('log');
  dump.Plugins[0].Schema.fields[0]?.config.fields.push({ added: { type: 'string', default: 'new' } });
  const config = defaultConfig(upstream.port) as { plugins: object[] };
  writeConfig({ ...config, plugins: [{ name: 'probe', config: { n: 6 } }] });
  const logged = server.ended('log');
  await sandbox.reload();
  await send(`${sandbox.proxyUrl ?? ''}/`);
  await logged;
  expect(server.instances.at(-1)?.config).toMatchObject({ n: 6, added: 'new' });
  const { text } = await send(`${sandbox.adminUrl ?? ''}/schemas/plugins/probe`);
  expect(text).toContain('"added"');
});

test('a dump that Kong would refuse, or a file that no longer fits, leaves everything as it was', async () => {
  let dump = probeDump('protobuf', ['access']) as Dump;
  gateway = await testGateway({ script, dump: () => dump, sandbox: { workerStartMs: 0 } });
  const { sandbox, server, writeConfig, upstream } = gateway;
  dump = structuredClone(dump);
  dump.Plugins[0].Schema.fields[0]?.config.fields.push({ bad: { type: 'no such type' } });
  await expect(sandbox.reload()).rejects.toThrow('Kong would not start');
  dump = probeDump('protobuf', ['access'], 'probe') as Dump;
  writeConfig({ ...defaultConfig(upstream.port), plugins: [{ name: 'probe', config: { gone: 1 } }] });
  await expect(sandbox.reload()).rejects.toThrow('gone');
  expect((await send(`${sandbox.proxyUrl ?? ''}/`)).status).toBe(200);
  expect(server.calls.some(({ done }) => done === true)).toBe(true);
});

test('with no file, as with a database, what the Admin API has made stays, and has the new schema', async () => {
  const dump = probeDump('protobuf', ['access']) as Dump;
  gateway = await testGateway({
    script,
    dump: () => structuredClone(dump),
    sandbox: { workerStartMs: 0, adminListen: '127.0.0.1:0', config: [] },
  });
  const { sandbox } = gateway;
  const admin = sandbox.adminUrl ?? '';
  const create = (body: object) =>
    send(`${admin}/plugins`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await create({ name: 'probe' })).status).toBe(201);
  dump.Plugins[0].Schema.fields[0]?.config.fields.push({ added: { type: 'string', default: 'new' } });
  await sandbox.reload();
  expect(sandbox.store.snapshot().plugins).toHaveLength(1);
  const { status, text } = await send(`${admin}/plugins`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'name=probe&route=&config.added=given&instance_name=second',
  });
  expect([status, text.includes('unknown field')]).toEqual([expect.any(Number), false]);
});

describe.each(['protobuf', 'msgpack'] as const)('over %s, the report of a request', (protocol) => {
  test('has each phase with its calls and all frames that the socket has carried', async () => {
    const reports: RequestReport[] = [];
    let heard: () => void = () => undefined;
    const report = new Promise<void>((resolve) => (heard = resolve));
    gateway = await testGateway({
      protocol,
      phases: ['access', 'log'],
      script: { access: [['kong.request.get_method'], ['kong.request.get_host']], log: [] },
      sandbox: {
        onRequest: (each) => {
          reports.push(each);
          heard();
        },
      },
    });
    await send(`${gateway.sandbox.proxyUrl ?? ''}/some?query=1`);
    await report;
    expect(reports).toMatchObject([
      { method: 'GET', target: '/some?query=1', status: 200, source: 'service', route: { name: 'all' } },
    ]);
    // ProtoBuf:1: the event, name and arguments and answer of each call, the empty frame and the return. MsgPack:1: each
    // step is a request and its response.
    const frames = protocol === 'protobuf' ? [1 + 2 * 3 + 2, 1 + 2] : [2 + 2 * 2, 2];
    expect(
      reports[0]?.phases.map(({ phase, calls, frames: n, failure }) => [phase, calls, n, failure]),
    ).toEqual([
      ['access', 2, frames[0], null],
      ['log', 0, frames[1], null],
    ]);
  });

  test('names the failure of a phase, and a request without a route has neither', async () => {
    const reports: RequestReport[] = [];
    gateway = await testGateway({
      protocol,
      phases: ['access'],
      config: (port) => {
        const config = defaultConfig(port) as { services: [{ routes: [{ paths: string[] }] }] };
        config.services[0].routes[0].paths = ['/there'];
        return config;
      },
      sandbox: { onRequest: (each) => reports.push(each) },
    });
    gateway.server.mode = 'refuse-start';
    await send(`${gateway.sandbox.proxyUrl ?? ''}/there`);
    await send(`${gateway.sandbox.proxyUrl ?? ''}/elsewhere`);
    await expect.poll(() => reports.length).toBe(2);
    expect(reports[0]?.phases[0]?.failure).toContain('starting instance');
    expect(reports[1]).toMatchObject({ status: 404, route: null, phases: [] });
  });
});
