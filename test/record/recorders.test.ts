import { execFile } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Gateway } from '../../scripts/gateways/gateway.ts';
import { provenanceOf } from '../../scripts/gateways/gateway.ts';
import { MixedConnection } from '../../scripts/gateways/mixed-connection.ts';
import { openGateway, prepareProbes } from '../../scripts/gateways/open.ts';
import { sandboxGateway } from '../../scripts/gateways/sandbox-gateway.ts';
import type { AdminRecording } from '../../scripts/record/admin-api.ts';
import { recordAdminApi } from '../../scripts/record/admin-api.ts';
import { compareRecordings } from '../../scripts/record/compare.ts';
import type { ConnectionRecording } from '../../scripts/record/connections.ts';
import { recordConnections } from '../../scripts/record/connections.ts';
import { fixtures, transcriptPlans } from '../../scripts/record/kinds.ts';
import type { Matrix } from '../../scripts/record/matrix.ts';
import { recordMatrix } from '../../scripts/record/matrix.ts';
import { recordMerging } from '../../scripts/record/merging.ts';
import { recordTranscripts } from '../../scripts/record/transcripts.ts';
import { compileSandboxOptions } from '../../src/cli/sandbox-options.ts';
import { startSandbox } from '../../src/sandbox/index.ts';

const fixture = <Recording>(name: string): Recording =>
  JSON.parse(readFileSync(path.join(fixtures, name), 'utf8')) as Recording;
const placesOf = (before: unknown, after: unknown): string[] =>
  compareRecordings(before, after).map(({ place }) => place);
const text = (hex = ''): string => Buffer.from(hex, 'hex').toString('latin1');

let gateway: Gateway;
// What raises in a log phase is left behind in a gateway: each test has its own.
beforeEach(async () => {
  gateway = await sandboxGateway();
});
afterEach(async () => gateway.close());

test('the matrix of the sandbox, recorded, is that of Kong 3.9.3', async () => {
  const kong = fixture<Matrix>('pdk-matrix-3.9.3.json');
  const only = [
    'kong.client.get_consumer',
    'kong.ctx.shared.get',
    'kong.request.get_raw_body',
    'kong.response.exit',
    'kong.service.set_target',
    'kong.service.response.get_status',
    'kong.vault.is_reference',
  ];
  const recorded = await recordMatrix(gateway, kong.functions, only);
  expect(Object.keys(recorded.functions).sort()).toEqual([...only].sort());
  for (const name of only) {
    const { protobuf, msgpack } = recorded.functions[name] ?? {};
    const { protobuf: asked, msgpack: called } = kong.functions[name] ?? {};
    expect([name, protobuf, msgpack]).toEqual([name, asked, called]);
  }
  expect(recorded).toMatchObject({ gateway: 'sandbox', database: 'off', kong: '3.9.3' });
  expect(Date.parse(recorded.recorded ?? '')).not.toBeNaN();
});

test('transcripts of the sandbox, recorded, say what those of Kong 3.9.3 say', async () => {
  const scenarios = ['hello', 'exit', 'lua-error', 'binary-header', 'log-phase-error', 'certificate'];
  const plans = await transcriptPlans(path.join(fixtures, 'transcripts'), scenarios);
  expect(plans).toHaveLength(12);
  for (const transcript of await recordTranscripts(gateway, plans)) {
    const protocol = transcript.protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';
    const kong = fixture(`transcripts/${protocol}-${transcript.scenario}.json`);
    expect([transcript.scenario, compareRecordings(kong, transcript)]).toEqual([transcript.scenario, []]);
    expect(transcript.wire.length).toBeGreaterThan(4);
  }
});

test('the connection of two plugins on one socket, recorded, has the commands that it has in Kong 3.9.3', async () => {
  const [mixed, lost] = await recordConnections(gateway);
  expect(compareRecordings(fixture('connections/mixed-one-connection.json'), mixed)).toEqual([]);
  expect(mixed?.wire.at(0)?.[0]).toBe('open');
  expect(lost?.commands).toContain('msgpack plugin.HandleEvent access without InstanceId');
  // The answer makes Kong start an instance, and try again.
  expect(lost?.wire.some(([, , hex]) => text(hex).includes('No plugin instance'))).toBe(true);
});

test('the commands of a recorded connection are those of its bytes', async () => {
  const kong = fixture<ConnectionRecording>('connections/mixed-one-connection.json');
  const heard: string[] = [];
  const connection = new MixedConnection(
    { nextInstance: () => 1, takeTime: () => Promise.resolve() },
    { write: () => undefined, heard: (says) => heard.push(says) },
  );
  for (const [kind, , hex = ''] of kong.wire) {
    if (kind !== '<') continue;
    connection.read(Buffer.from(hex, 'hex'));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect(heard).toEqual(kong.commands);
});

test('a Kong that runs already, with the settings that are printed for it, is recorded by its addresses', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-probes-'));
  const printed = await prepareProbes(folder);
  const environment = Object.fromEntries(
    printed
      .trim()
      .split('\n')
      .map((line) => /^(\w+)='(.*)'$/.exec(line)?.slice(1) ?? []),
  ) as Record<string, string>;
  const listen = { proxyListen: '127.0.0.1:0', adminListen: '127.0.0.1:0', prefix: folder };
  const kong = await startSandbox({
    ...compileSandboxOptions({ config: [], pluginServer: [] }, environment),
    ...listen,
    log: () => undefined,
  });
  try {
    const choice = { proxy: kong.proxyUrl ?? '', admin: kong.adminUrl ?? '', probes: folder };
    await expect(openGateway({ ...choice, admin: undefined })).rejects.toThrow('--proxy needs --admin');
    const running = await openGateway(choice);
    try {
      const plans = await transcriptPlans(path.join(fixtures, 'transcripts'), ['hello']);
      for (const transcript of await recordTranscripts(running, plans)) {
        const protocol = transcript.protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';
        const { calls } = fixture<{ calls: unknown }>(`transcripts/${protocol}-hello.json`);
        expect(compareRecordings({ calls }, { calls: transcript.calls })).toEqual([]);
        expect(transcript).toMatchObject({ gateway: kong.proxyUrl, database: 'off' });
      }
      // Nobody's entities are touched: what creates and deletes them is recorded with an empty database alone.
      const plan = fixture<AdminRecording>('admin-api-3.9.3.json');
      await expect(recordAdminApi(running, plan)).rejects.toThrow('this Kong has none');
    } finally {
      await running.close();
    }
  } finally {
    await kong.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an Admin API that is in use is not recorded', async () => {
  const own = await sandboxGateway({ database: 'postgres' });
  try {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ username: 'somebody' });
    await fetch(`${own.adminUrl}/consumers`, { method: 'POST', headers, body });
    const plan = fixture<AdminRecording>('admin-api-3.9.3.json');
    await expect(recordAdminApi(own, plan)).rejects.toThrow('this Kong has consumers');
    const { data } = (await (await fetch(`${own.adminUrl}/consumers`)).json()) as { data: unknown[] };
    expect(data).toHaveLength(1);
  } finally {
    await own.close();
  }
});

test('what one call answers for many is, recorded, what Kong 3.9.3 answers', async () => {
  expect(compareRecordings(fixture('merging-3.9.3.json'), await recordMerging(gateway))).toEqual([]);
});

test('the Admin API of the sandbox, recorded, differs in what it does not have', async () => {
  const own = await sandboxGateway({ database: 'postgres' });
  try {
    const kong = fixture<AdminRecording>('admin-api-3.9.3.json');
    // The sandbox checks no health, and nothing would be waited for.
    const recorded = await recordAdminApi(own, kong, 0);
    expect(recorded).toMatchObject({ database: 'postgres' });
    const statuses = recorded.exchanges.filter(
      ({ response }, at) => response.status !== kong.exchanges[at]?.response.status,
    );
    // Kong's http-log is none of the sandbox's plugins.
    expect(statuses.map(({ request }) => `${request.method} ${request.path}`)).toEqual([
      'POST /plugins',
      'GET /schemas/plugins/http-log',
    ]);
    // Everything else is alike, member by member.
    const lacks =
      /^exchanges\[(GET "\/(status|endpoints|plugins(\/enabled)?|upstreams\/up1\/health|schemas\/[^"]+|)"|POST "\/plugins")\]/;
    expect(placesOf(kong, recorded).filter((place) => !lacks.test(place))).toEqual([]);
    const pages = recorded.exchanges.filter(({ request }) => request.path.startsWith('/services?'));
    const names = pages.flatMap(({ response }) =>
      (response.body as { data: { name: string }[] }).data.map(({ name }) => name),
    );
    // The second page is asked for with the first one's offset.
    expect(names).toHaveLength(4);
    expect(new Set(names).size).toBe(4);
  } finally {
    await own.close();
  }
});

test('pages are compared without the names on them, which are a matter of ids', () => {
  const page = (path: string, name: string, retries = 5) => ({
    exchanges: [{ request: { method: 'GET', path }, response: { body: { data: [{ name, retries }] } } }],
  });
  expect(placesOf(page('/services?size=2', 'svc2'), page('/services?size=2', 'svc0'))).toEqual([]);
  expect(placesOf(page('/services?size=2', 'a', 5), page('/services?size=2', 'b', 6))).toHaveLength(1);
  expect(placesOf(page('/services', 'a'), page('/services', 'b'))).toHaveLength(1);
});

test.each([
  [{ configuration_hash: 'a9', server: {} }, 'off'],
  [{ database: { reachable: true }, server: {} }, 'postgres'],
])('a Kong whose GET / is a 500 says by /status whether it has a database: %j', async (status, database) => {
  const admin = http.createServer(({ url }, response) => {
    response.writeHead(url === '/status' ? 200 : 500, { server: 'kong/3.9.3' });
    response.end(url === '/status' ? JSON.stringify(status) : '{"message":"An unexpected error occurred"}');
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
  try {
    const adminUrl = `http://127.0.0.1:${String((admin.address() as AddressInfo).port)}`;
    expect(await provenanceOf({ adminUrl, name: 'here' })).toMatchObject({ kong: '3.9.3', database });
  } finally {
    admin.closeAllConnections();
    admin.close();
  }
});

test('a comparison names kinds, and is blind for ids, times and ports', () => {
  const recording = (header: string, id: number) => ({
    kong: '3.9.3',
    deliveries: [
      { path: '/log', body: { started_at: id, url: `http://127.0.0.1:${String(id)}/x`, header } },
      { path: '/log', body: { started_at: id, url: `http://127.0.0.1:${String(id)}/x`, header } },
    ],
  });
  expect(placesOf(recording('a', 8000), recording('a', 9001))).toEqual([]);
  expect(compareRecordings(recording('a', 8000), recording('b', 9001))).toEqual([
    { place: 'deliveries[/log].body.header', count: 2, before: '"a"', after: '"b"' },
  ]);
  expect(placesOf({ functions: { f: { log: 'ok' } } }, { functions: {} })).toEqual(['functions.f']);
});

test('the command records and compares', async () => {
  const run = promisify(execFile);
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-record-'));
  const script = path.join(import.meta.dirname, '../../scripts/record/index.ts');
  try {
    const out = path.join(folder, 'hello');
    const command = ['transcripts', '--sandbox', '--only', 'hello', '--out', out];
    await run(process.execPath, [script, ...command]);
    const { stdout } = await run(process.execPath, [script, 'compare', out, out]);
    expect(stdout).toContain('msgpack-hello.json: alike');
    const other = path.join(out, 'msgpack-hello.json');
    const failed = await run(process.execPath, [
      script,
      'compare',
      path.join(out, 'protobuf-hello.json'),
      other,
    ]).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1 });
    await expect(run(process.execPath, [script, 'matrix', '--out', out])).rejects.toMatchObject({
      stderr: expect.stringContaining('Say which Kong') as string,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
