import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  baseEnvironment,
  configText,
  hooksToken,
  hostPlan,
  imageOf,
  insidePlan,
  kongEnvironment,
  ports,
  serverVariables,
  usesDatabase,
  versionOf,
} from '../../../../src/testing/containers/environment.ts';
import type { LocatedPlugin } from '../../../../src/testing/containers/plugins.ts';
import { locatePlugin } from '../../../../src/testing/containers/plugins.ts';
import { runtimeLabel, runtimeOf } from '../../../../src/testing/containers/runtime.ts';

const located = (name: string, more: Partial<LocatedPlugin> = {}): LocatedPlugin => ({
  name,
  protocol: 'protobuf',
  dump: '{}',
  file: `/home/me/plugins/src/${name}.ts`,
  folder: '/home/me/plugins',
  spec: `/home/me/plugins/src/${name}.ts`,
  environment: [],
  ...more,
});
const runtime = { command: ['/usr/local/bin/kong-ts'], mounts: [] };

describe("what Kong's container gets", () => {
  test('listeners, and the configuration without a database', () => {
    expect(
      baseEnvironment({ declarativeConfig: {}, streamPorts: [9000], streamTlsPorts: [9443], workers: 1 }),
    ).toEqual({
      KONG_LOG_LEVEL: 'info',
      KONG_NGINX_WORKER_PROCESSES: '1',
      KONG_PROXY_LISTEN: '0.0.0.0:8000, 0.0.0.0:8443 ssl',
      KONG_ADMIN_LISTEN: '0.0.0.0:8001',
      KONG_STREAM_LISTEN: '0.0.0.0:9000, 0.0.0.0:9443 ssl',
      KONG_DATABASE: 'off',
      KONG_DECLARATIVE_CONFIG: '/kong-ts/kong.yml',
    });
  });

  test('with Postgres neither', () => {
    expect(baseEnvironment({ postgres: true, declarativeConfig: {} })).not.toHaveProperty('KONG_DATABASE');
  });

  test('a server inside: one name per plugin, one start command, folders mounted', () => {
    const { environment, mounts } = insidePlan(
      { eventHooks: true, serveOptions: ['--workers', '1'] },
      [
        located('one'),
        located('http-log-enterprise', { file: null, folder: null, spec: 'http-log-enterprise' }),
      ],
      runtime,
      'a token',
    );
    expect(environment).toEqual({
      KONG_NGINX_MAIN_ENV: 'KONG_TS_ADMIN_TOKEN; env KONG_TS_HOOKS_TOKEN',
      KONG_TS_ADMIN_TOKEN: 'a token',
      KONG_PLUGINS: 'bundled,one,http-log-enterprise',
      KONG_PLUGINSERVER_NAMES: 'one,http-log-enterprise',
      KONG_PLUGINSERVER_ONE_SOCKET: '/usr/local/kong/kong-ts.socket',
      KONG_PLUGINSERVER_ONE_QUERY_CMD: '/usr/local/bin/kong-ts dump /usr/local/kong-ts/plugins/0/src/one.ts',
      KONG_PLUGINSERVER_ONE_START_CMD:
        '/usr/local/bin/kong-ts serve /usr/local/kong-ts/plugins/0/src/one.ts http-log-enterprise ' +
        '--socket /usr/local/kong/kong-ts.socket --data-dir /tmp/kong-ts-data --event-hooks on ' +
        '--event-hooks-admin 0.0.0.0:8011 --event-hooks-allow loopback private --workers 1',
      KONG_PLUGINSERVER_HTTP_LOG_ENTERPRISE_SOCKET: '/usr/local/kong/kong-ts.socket',
      KONG_PLUGINSERVER_HTTP_LOG_ENTERPRISE_QUERY_CMD: '/usr/local/bin/kong-ts dump http-log-enterprise',
    });
    expect(mounts).toEqual([
      { source: '/home/me/plugins', target: '/usr/local/kong-ts/plugins/0', mode: 'ro' },
    ]);
  });

  test('Kong 3.1 to 3.4 start a server for each protocol, and both are looked after', () => {
    const { environment, sockets } = insidePlan(
      { kongVersion: '3.4' },
      [located('one'), located('two', { protocol: 'msgpack' })],
      runtime,
    );
    expect(sockets).toEqual(['/usr/local/kong/kong-ts.socket', '/usr/local/kong/kong-ts-msgpack.socket']);
    expect([
      environment['KONG_PLUGINSERVER_ONE_SOCKET'],
      environment['KONG_PLUGINSERVER_TWO_SOCKET'],
    ]).toEqual(sockets);
    expect(Object.keys(environment).filter((key) => key.endsWith('_START_CMD'))).toHaveLength(2);
  });

  test('from 3.5 on one process serves both protocols, each on a socket of its own', () => {
    const { environment, sockets } = insidePlan(
      {},
      [located('one'), located('two', { protocol: 'msgpack' })],
      runtime,
    );
    // The process is looked after by its first socket.
    expect(sockets).toEqual(['/usr/local/kong/kong-ts.socket']);
    expect(environment['KONG_PLUGINSERVER_TWO_SOCKET']).toBe('/usr/local/kong/kong-ts-msgpack.socket');
    expect(environment['KONG_PLUGINSERVER_ONE_START_CMD']).toContain(
      ' --socket /usr/local/kong/kong-ts.socket --socket msgpack=/usr/local/kong/kong-ts-msgpack.socket ',
    );
  });

  test('what plugins read is passed on by nginx, beside what the user names', () => {
    const options = { environment: { SECRET: 's', OTHER: 'o', KONG_NGINX_MAIN_ENV: 'OTHER' } };
    const plugins = [located('one', { environment: ['SECRET'] }), located('two')];
    const environment = kongEnvironment(options, insidePlan(options, plugins, runtime));
    expect(environment).toMatchObject({ SECRET: 's', KONG_NGINX_MAIN_ENV: 'SECRET; env OTHER' });
    // A server on the host gets what the plugins read, and nothing of what is for Kong.
    expect(serverVariables(options, plugins, null)).toEqual({ SECRET: 's' });
  });

  test('the Admin API of event hooks has a token: of the user, or a new one in each run', () => {
    expect(hooksToken({ eventHooks: true, environment: { KONG_TS_ADMIN_TOKEN: 'mine' } })).toBe('mine');
    expect(hooksToken({ eventHooks: true })).toMatch(/^[0-9a-f]{48}$/);
    expect(hooksToken({ eventHooks: true })).not.toBe(hooksToken({ eventHooks: true }));
    expect(hooksToken({})).toBeNull();
  });

  test("a database of the user's counts as one", () => {
    const environment = { KONG_DATABASE: 'postgres' };
    expect(usesDatabase({ environment })).toBe(true);
    expect(baseEnvironment({ environment, declarativeConfig: {} })).not.toHaveProperty(
      'KONG_DECLARATIVE_CONFIG',
    );
    expect(usesDatabase({})).toBe(false);
    expect(usesDatabase({ postgres: true })).toBe(true);
  });

  test("no port that Kong's own listeners have by default", () => {
    // proxy, admin, manager, cluster, telemetry and status of kong.conf.default, 3.9.
    const taken = [8000, 8443, 8001, 8444, 8002, 8445, 8005, 8006, 8007];
    expect(taken).not.toContain(ports.eventHooks);
  });

  test('a server on the host: dumps are read with cat, nothing is started', () => {
    const { environment, mounts } = hostPlan({}, [located('one')], '/tmp/shared');
    expect(environment).toEqual({
      KONG_PLUGINS: 'bundled,one',
      KONG_PLUGINSERVER_NAMES: 'one',
      KONG_PLUGINSERVER_ONE_SOCKET: '/run/kong-ts/kong-ts.socket',
      KONG_PLUGINSERVER_ONE_QUERY_CMD: 'cat /run/kong-ts/one.json',
    });
    expect(mounts).toEqual([{ source: '/tmp/shared', target: '/run/kong-ts', mode: 'rw' }]);
  });

  test('an old Kong cannot use a server on the host, and the error says why', () => {
    expect(() => hostPlan({ image: 'kong:3.4.2' }, [located('one')], '/tmp/shared')).toThrow(
      /Kong 3\.4 cannot use a plugin server that it has not started itself/,
    );
  });
});

describe('image and version', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test.each([
    ['kong:3.4.2', '3.4'],
    ['kong/kong-gateway:3.8', '3.8'],
    ['localhost:5000/kong:v3.7-ubuntu', '3.7'],
    ['kong-ts:0.1.0', '3.9'],
    ['acme/kong-plugins:1.2', '3.9'],
    ['acme/my-kong:1.2', '3.9'],
  ])('%s is Kong %s', (image, version) => {
    expect(versionOf({ image })).toBe(version);
  });

  test('what is asked for wins over the tag', () => {
    expect(versionOf({ image: 'kong:3.4', kongVersion: '3.8' })).toBe('3.8');
  });

  test('KONG_IMAGE, and an empty one is none', () => {
    vi.stubEnv('KONG_IMAGE', 'kong:3.6');
    expect(imageOf({})).toBe('kong:3.6');
    expect(versionOf({})).toBe('3.6');
    expect(imageOf({ image: 'mine' })).toBe('mine');
    vi.stubEnv('KONG_IMAGE', '');
    expect(imageOf({})).toBe('kong:3.9');
  });

  test("the user's variables win over everything, the database's too", () => {
    const options = { postgres: true, environment: { KONG_PG_HOST: 'mine', KONG_LOG_LEVEL: 'debug' } };
    const plan = { environment: { KONG_PLUGINS: 'bundled' }, mounts: [], sockets: [] };
    expect(
      kongEnvironment(options, plan, { KONG_DATABASE: 'postgres', KONG_PG_HOST: 'database' }),
    ).toMatchObject({
      KONG_PLUGINS: 'bundled',
      KONG_DATABASE: 'postgres',
      KONG_PG_HOST: 'mine',
      KONG_LOG_LEVEL: 'debug',
    });
  });
});

describe('kong-ts in the container', () => {
  test("the image's own, where its label names it", () => {
    expect(runtimeOf('mine', { [runtimeLabel]: '/opt/kong-ts' })).toEqual({
      command: ['/opt/kong-ts'],
      mounts: [],
    });
  });

  test.runIf(process.platform === 'linux')("else this machine's Node and package, mounted", () => {
    const { command, mounts } = runtimeOf('kong:3.9', {});
    expect(command).toEqual([
      '/usr/local/lib/kong-ts-host/node',
      '/usr/local/lib/kong-ts-host/package/bin/kong-ts.js',
    ]);
    expect(mounts.map(({ target, mode }) => [target, mode])).toEqual([
      ['/usr/local/lib/kong-ts-host/node', 'ro'],
      ['/usr/local/lib/kong-ts-host/package', 'ro'],
    ]);
    expect(mounts[0]?.source).toBe(process.execPath);
  });
});

describe('declarative configuration', () => {
  test('an object, text, a file', () => {
    expect(configText({ _format_version: '3.0' })).toBe('{"_format_version":"3.0"}');
    expect(configText('_format_version: "3.0"\n')).toBe('_format_version: "3.0"\n');
    expect(() => configText('absent.yml')).toThrow(/There is no declarative configuration "absent.yml"/);
  });
});

describe('plugins', () => {
  let folder: string | null = null;
  afterEach(() => {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
    folder = null;
  });

  test('a bundled one, and a file with its folder', async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-located-'));
    const file = path.join(folder, 'mine.ts');
    writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(
      file,
      `import { definePlugin } from 'kong-ts';
       export default definePlugin({ name: 'mine', version: '1.0.0', protocol: 'msgpack', async access() {} });`,
    );
    const [bundled, mine] = await Promise.all([locatePlugin('http-log-enterprise'), locatePlugin(file)]);
    expect(bundled).toMatchObject({ name: 'http-log-enterprise', protocol: 'protobuf', file: null });
    expect(mine).toMatchObject({ name: 'mine', protocol: 'msgpack', file, folder });
  });

  test('one that is not there, one that does not load, one outside of its folder', async () => {
    await expect(locatePlugin('./nowhere.ts')).rejects.toMatchObject({ code: 'PLUGIN_NOT_FOUND' });
    folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-located-'));
    const file = path.join(folder, 'broken.ts');
    writeFileSync(file, 'throw new Error("at load");');
    await expect(locatePlugin(file)).rejects.toMatchObject({
      code: 'PLUGIN_INVALID',
      message: expect.stringContaining('at load') as string,
    });
    await expect(locatePlugin({ file, folder: path.join(import.meta.dirname) })).rejects.toMatchObject({
      code: 'PLUGIN_NOT_FOUND',
    });
  });
});
