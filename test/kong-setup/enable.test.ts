import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongAdmin } from '../../src/kong-admin/client.ts';
import { checkAdmin } from '../../src/kong-setup/doctor/check-admin.ts';
import { differences } from '../../src/kong-setup/enable/difference.ts';
import type { EnableOptions, EnableResult } from '../../src/kong-setup/enable/enable.ts';
import { enablePlugin } from '../../src/kong-setup/enable/enable.ts';
import { factsOf } from '../../src/kong-setup/versions.ts';
import type { CliResult } from '../support/run-cli.ts';
import { runCli } from '../support/run-cli.ts';
import type { Admin } from '../unit/sandbox/admin/setup.ts';
import { startAdmin } from '../unit/sandbox/admin/setup.ts';

let admin: Admin;

const enable = (over: Partial<EnableOptions> = {}, url = admin.url): Promise<EnableResult> =>
  enablePlugin(new KongAdmin({ url }), {
    plugin: 'demo',
    workspace: null,
    createWorkspace: false,
    scope: {},
    config: {},
    dryRun: false,
    ...over,
  });
const messageOf = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run;
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('nothing was thrown');
};

describe('a Kong with one workspace (open source)', () => {
  beforeEach(async () => {
    admin = await startAdmin();
  });
  afterEach(() => admin.close());

  it('creates, changes nothing the second time, then updates what differs only', async () => {
    const config = { n: 4, inner: { b: 'x' } };
    expect(await enable({ config })).toMatchObject({ action: 'create', workspace: { name: 'default' } });
    expect(await enable({ config })).toMatchObject({ action: 'unchanged', differences: [] });
    const updated = await enable({ config: { inner: { b: 'y' } } });
    expect(updated).toMatchObject({
      action: 'update',
      differences: [{ path: 'config.inner.b', from: 'x', to: 'y' }],
    });
    const plugins = (await admin.call('GET', '/plugins')).body.data as { config: Record<string, unknown> }[];
    expect(plugins).toHaveLength(1);
    expect(plugins[0]?.config).toMatchObject({ n: 4, flag: false, inner: { a: 1, b: 'y' } });
  });

  it('compares maps whole: a key that is no longer wanted goes away', async () => {
    await enable({ config: { headers: { a: '1', b: '2' } } });
    const config = { headers: { a: '1' } };
    expect((await enable({ config })).differences).toEqual([
      { path: 'config.headers', from: { a: '1', b: '2' }, to: { a: '1' } },
    ]);
    expect(await enable({ config })).toMatchObject({ action: 'unchanged' });
    expect(await enable({ config: { headers: {} } })).toMatchObject({ action: 'update' });
    expect(await enable({ config: { headers: {} } })).toMatchObject({ action: 'unchanged' });
  });

  it('compares lists of records element by element; defaults in them are not a difference', () => {
    const there = { rules: [{ a: 1, b: 2 }], tags: ['x'], none: {} };
    expect(differences(there, { rules: [{ a: 1 }], tags: ['x'], none: [] })).toEqual([]);
    expect(differences(there, { rules: [{ a: 2 }] })).toHaveLength(1);
    expect(differences(there, { rules: [{ a: 1 }, { a: 1 }], tags: [] })).toHaveLength(2);
  });

  it('switches a disabled plugin on', async () => {
    await enable();
    const [plugin] = (await admin.call('GET', '/plugins')).body.data as { id: string }[];
    await admin.call('PATCH', `/plugins/${plugin?.id ?? ''}`, { enabled: false });
    expect((await enable()).differences).toEqual([{ path: 'enabled', from: false, to: true }]);
  });

  it('keeps scopes apart: global, service, route, consumer', async () => {
    await admin.call('POST', '/services', { name: 's', url: 'http://127.0.0.1:1' });
    await admin.call('POST', '/services/s/routes', { name: 'r', paths: ['/r'] });
    await admin.call('POST', '/consumers', { username: 'alice' });
    for (const scope of [{}, { service: 's' }, { route: 'r' }, { consumer: 'alice' }]) {
      expect(await enable({ scope })).toMatchObject({ action: 'create' });
      expect(await enable({ scope })).toMatchObject({ action: 'unchanged' });
    }
    expect((await admin.call('GET', '/plugins')).body.data).toHaveLength(4);
  });

  it('a dry run shows the differences and changes nothing', async () => {
    expect(await enable({ dryRun: true, config: { n: 5 } })).toMatchObject({
      action: 'create',
      plugin: null,
      differences: [
        { path: 'enabled', to: true },
        { path: 'config.n', to: 5 },
      ],
    });
    expect((await admin.call('GET', '/plugins')).body.data).toEqual([]);
  });

  it('a dry run of a new plugin is refused what Kong would not take', async () => {
    const dryRun = true;
    expect(await messageOf(enable({ dryRun, config: { n: 11 } }))).toContain('between 1 and 10');
    expect(await messageOf(enable({ dryRun, plugin: 'nope' }))).toContain('not enabled');
  });

  it('explains that there is one workspace, and takes its name', async () => {
    const message = await messageOf(enable({ workspace: 'team-a' }));
    expect(message).toContain('one workspace "default" only');
    expect(message).toContain('--service');
    expect(await enable({ workspace: 'default' })).toMatchObject({ action: 'create' });
  });

  it.each([
    ['a field that the schema refuses', { config: { n: 11 } }, 'value should be between 1 and 10'],
    ['a plugin that Kong does not have', { plugin: 'nope' }, 'not enabled'],
    ['a service that is not there', { scope: { service: 'nope' } }, 'There is no service "nope"'],
  ] satisfies [string, Partial<EnableOptions>, string][])(
    "%s: says so in Kong's words",
    async (_, over, words) => {
      expect(await messageOf(enable(over))).toContain(words);
    },
  );

  it('a Kong without a database: says where plugins go there', async () => {
    const bare = await startAdmin({ database: 'off' });
    try {
      expect(await messageOf(enable({}, bare.url))).toContain('Put it into the declarative configuration');
    } finally {
      await bare.close();
    }
  });

  it('an Admin API that is not there', async () => {
    const nowhere = new KongAdmin({ url: 'http://127.0.0.1:1' });
    const message = await messageOf(
      enablePlugin(nowhere, {
        plugin: 'x',
        workspace: null,
        createWorkspace: false,
        scope: {},
        config: {},
        dryRun: false,
      }),
    );
    expect(message).toContain('Check that the URL');
  });

  it('doctor asks the running Kong', async () => {
    const { findings } = await checkAdmin(new KongAdmin({ url: admin.url }), factsOf('3.9'), [
      'demo',
      'nope',
    ]);
    expect(findings.map((one) => [one.subject, one.level])).toEqual([
      [admin.url, 'ok'],
      ['plugin demo', 'ok'],
      ['plugin nope', 'error'],
    ]);
  });
});

describe('a Kong with workspaces', () => {
  beforeEach(async () => {
    admin = await startAdmin({ workspaces: true });
  });
  afterEach(() => admin.close());

  it('makes the workspace on request only', async () => {
    expect(await messageOf(enable({ workspace: 'team-a' }))).toContain('--create-workspace');
    const dry = await enable({ workspace: 'team-a', createWorkspace: true, dryRun: true });
    expect(dry.workspace).toEqual({ name: 'team-a', action: 'create' });
    expect((await admin.call('GET', '/workspaces/team-a')).status).toBe(404);
    expect(await enable({ workspace: 'team-a', createWorkspace: true })).toMatchObject({ action: 'create' });
    expect(await enable({ workspace: 'team-a', createWorkspace: true })).toMatchObject({
      action: 'unchanged',
    });
    expect((await admin.call('GET', '/team-a/plugins')).body.data).toHaveLength(1);
    expect((await admin.call('GET', '/plugins')).body.data).toHaveLength(0);
  });
});

describe('the recorded Kong 3.9.3', () => {
  interface Exchange {
    request: { method: string; path: string; body?: unknown };
    response: { status: number; body: unknown };
  }
  const { exchanges } = JSON.parse(
    readFileSync(new URL('../fixtures/kong/admin-api-3.9.3.json', import.meta.url), 'utf8'),
  ) as { exchanges: Exchange[] };
  let server: Server;
  let url: string;

  beforeEach(async () => {
    server = createServer((request, response) => {
      request.resume();
      const path = (request.url ?? '').replace(/\?.*$/, '');
      const found = exchanges.find(
        (one) => one.request.method === request.method && one.request.path === path,
      );
      response.writeHead(found?.response.status ?? 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found?.response.body ?? { message: 'Not found' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('finds http-log as it stands there, and what would change in it', async () => {
    const recorded = new KongAdmin({ url });
    const options = { plugin: 'http-log', workspace: null, createWorkspace: false, scope: {}, dryRun: true };
    const same = { http_endpoint: 'http://127.0.0.1:1/', queue: { max_batch_size: 1 }, headers: null };
    expect(await enablePlugin(recorded, { ...options, config: same })).toMatchObject({ action: 'unchanged' });
    const other = { ...same, timeout: 5000 };
    expect(await enablePlugin(recorded, { ...options, config: other })).toMatchObject({
      action: 'update',
      differences: [{ path: 'config.timeout', from: 10000, to: 5000 }],
    });
  });

  it('a plugin for a group of consumers is not the one for all', async () => {
    const page = exchanges.find((one) => one.request.method === 'GET' && one.request.path === '/plugins');
    const data = (page?.response.body as { data: Record<string, unknown>[] }).data;
    for (const plugin of data) plugin.consumer_group = { id: 'g' };
    const options = { plugin: 'http-log', workspace: null, createWorkspace: false, scope: {}, dryRun: true };
    expect(await enablePlugin(new KongAdmin({ url }), { ...options, config: {} })).toMatchObject({
      action: 'create',
    });
    for (const plugin of data) plugin.consumer_group = null;
  });

  it('says that this edition has no other workspaces', async () => {
    const options = { plugin: 'http-log', createWorkspace: true, scope: {}, config: {}, dryRun: false };
    expect(
      await messageOf(enablePlugin(new KongAdmin({ url }), { ...options, workspace: 'team-a' })),
    ).toContain('3.9.3');
  });

  it('doctor knows its version, its plugins and a plugin that it has not', async () => {
    const { findings } = await checkAdmin(new KongAdmin({ url }), factsOf('3.4'), ['http-log', 'mine']);
    expect(findings.map((one) => one.level)).toEqual(['ok', 'warning', 'ok', 'error']);
    expect(findings[1]?.fix).toContain('--kong 3.9.3');
  });
});

describe('the command lines', () => {
  let folder: string;
  beforeEach(async () => {
    admin = await startAdmin();
    folder = mkdtempSync(join(tmpdir(), 'kong-ts-enable-'));
  });
  afterEach(async () => {
    await admin.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('enable reads YAML, shows a diff, then does it', async () => {
    const file = join(folder, 'config.yml');
    writeFileSync(file, 'config:\n  n: 7\n');
    const args = ['enable', 'demo', '--admin-url', admin.url, '--config', file];
    const dry = await runCli([...args, '--dry-run']);
    expect(dry).toMatchObject({ status: 0, stderr: '' });
    expect(dry.stdout).toContain('would be created\n  enabled: unset -> true\n  config.n: unset -> 7\n');
    expect((await runCli(args)).stdout).toContain('plugin demo in workspace default: created');
    expect((await runCli(args)).stdout).toBe('plugin demo in workspace default: already as wanted\n');
  });

  it('a configuration that is not a map, and an option that there is not', async () => {
    const file = join(folder, 'config.yml');
    writeFileSync(file, '- 1\n');
    const [wrong, unknown] = await Promise.all([
      runCli(['enable', 'demo', '--admin-url', admin.url, '--config', file]),
      runCli(['enable', 'demo', '--nope']),
    ]);
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain('is not a map of fields');
    expect(unknown.status).toBe(2);
  });

  it('doctor prints what is wrong and ends with 1; kong-config prints what doctor is content with', async () => {
    const plugin = join(folder, 'hello.mjs');
    writeFileSync(
      plugin,
      "import { definePlugin, z } from 'kong-ts';\nexport default definePlugin({ name: 'hello', version: '1.0.0', priority: 1, config: z.object({}), access() {} });\n",
    );
    const [bad, settings] = await Promise.all([
      runCli(['doctor'], { env: { KONG_PLUGINSERVER_NAMES: '' } }),
      runCli(['kong-config', plugin, '--socket', join(folder, 'k.socket')]),
    ]);
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain('kong-ts kong-config prints all that is needed');
    expect(settings).toMatchObject({ status: 0, stderr: '' });
    const envFile = join(folder, 'kong.env');
    writeFileSync(envFile, `${settings.stdout}\nKONG_LOG_LEVEL=info\n`);
    const good = await runCli(['doctor', '--kong-env', envFile]);
    const missing = await runCli(['doctor', '--kong-env', `${envFile}.not`]);
    expect(missing).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^kong-ts: .*\.not cannot be read: /) as string,
    });
    expect(good.stdout).toContain('hello over ProtoBuf:1');
    expect(good.stdout).toContain('0 errors');
    // That the query command is slow is said of the machine.
    const warnings = good.stdout.split('\n').filter((line) => line.startsWith('warning'));
    expect(warnings.filter((line) => !line.includes('Kong runs it at each start'))).toEqual([
      expect.stringContaining('No server has made it yet'),
    ]);
    expect(good.status).toBe(0);
  });

  it('doctor --admin-url --json --user', async () => {
    const dump = join(folder, 'demo.json');
    const schema = { name: 'demo', fields: [{ config: { type: 'record', fields: [] } }] };
    const plugin = { Name: 'demo', Version: '1.0.0', Priority: 1, Phases: ['log'], Schema: schema };
    writeFileSync(dump, JSON.stringify({ Protocol: 'ProtoBuf:1', Plugins: [plugin] }));
    const file = join(folder, 'kong.env');
    writeFileSync(
      file,
      `KONG_PLUGINS=bundled,demo\nKONG_PLUGINSERVER_NAMES=demo\nKONG_PLUGINSERVER_DEMO_SOCKET=${folder}/k.socket\nKONG_PLUGINSERVER_DEMO_QUERY_CMD="cat ${dump}"\n`,
    );
    const args = ['doctor', '--env-file', file, '--admin-url', admin.url, '--json', '--user'];
    const [{ status, stdout }, stranger] = await Promise.all([
      runCli([...args, 'nobody']),
      runCli([...args, 'no-such-user']),
    ]);
    const findings = JSON.parse(stdout) as { level: string; subject: string; says: string }[];
    expect(findings).toContainEqual(expect.objectContaining({ level: 'ok', subject: 'plugin demo' }));
    expect(findings.filter((one) => one.level === 'error').map((one) => one.says)).toEqual([
      expect.stringContaining(`may not pass through ${folder}`),
    ]);
    expect(status).toBe(1);
    expect(stranger.stderr).toContain('There is no user');
  });

  it('doctor keeps its findings when the Admin API fails at a plugin', async () => {
    const info = await new KongAdmin({ url: admin.url }).info();
    const failing = (status: number | null): KongAdmin =>
      Object.assign(new KongAdmin({ url: admin.url }), {
        info: () => Promise.resolve(info),
        request: () =>
          status === null
            ? Promise.reject(new Error('gone'))
            : Promise.resolve({ status, headers: {}, body: null }),
      });
    const says = async (status: number | null): Promise<string | undefined> =>
      (await checkAdmin(failing(status), factsOf('3.9'), ['demo'])).findings.at(-1)?.says;
    expect(await says(null)).toContain('gone');
    expect(await says(403)).toContain('answered 403');
  });

  it('kong-config: what plugins print and leave open stays apart; packages become paths, bundled names stay', async () => {
    const definition = (name: string): string =>
      `{ name: '${name}', version: '1.0.0', priority: 1, config: z.object({}), access() {} }`;
    writeFileSync(
      join(folder, 'loud.mjs'),
      `import { definePlugin, z } from 'kong-ts';\nconsole.log('I am loud');\nsetInterval(() => {}, 1000);\nexport default definePlugin(${definition('loud')});\n`,
    );
    const home = join(folder, 'node_modules', 'packaged');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"name":"packaged","type":"module","main":"main.js"}');
    writeFileSync(
      join(home, 'main.js'),
      `import { definePlugin, z } from 'kong-ts';\nexport default definePlugin(${definition('packaged')});\n`,
    );
    const inFormat = (format: string): Promise<CliResult> =>
      runCli(['kong-config', 'http-log-enterprise', '--format', format]);
    const [result, compose, helm, relative] = await Promise.all([
      runCli(['kong-config', './loud', 'packaged', 'http-log-enterprise', '--command', '/bin/kong-ts'], {
        cwd: folder,
      }),
      inFormat('compose'),
      inFormat('helm'),
      runCli(['kong-config', './loud', '--command', 'kong-ts'], { cwd: folder }),
    ]);
    expect(result).toMatchObject({ status: 0, stderr: 'I am loud\n' });
    const real = realpathSync(folder);
    const serve = /LOUD_START_CMD="\/bin\/kong-ts serve (.*) --socket/.exec(result.stdout)?.[1];
    expect(serve).toBe(`${real}/loud.mjs ${real}/node_modules/packaged/main.js http-log-enterprise`);
    expect(result.stdout).not.toContain('I am loud');
    // In containers the command is the image's, and the socket lies where Kong's user may write: in Kong's prefix.
    for (const [{ stdout }, prefix] of [
      [compose, '/run/kong'],
      [helm, '/kong_prefix'],
    ] as const) {
      expect(stdout).toContain(
        `/usr/local/bin/kong-ts serve http-log-enterprise --socket ${prefix}/kong-ts.socket`,
      );
    }
    expect(relative.status).not.toBe(0);
    expect(relative.stderr).toContain('--command');
  });
});
