import { describe, expect, test } from 'vitest';
import { compileSandboxOptions } from '../../../src/cli/sandbox-options.ts';
import { parseListen } from '../../../src/sandbox/gateway/listen.ts';

describe('options of kong-ts sandbox', () => {
  test("Kong's environment variables, flags first", () => {
    const environment = {
      KONG_DECLARATIVE_CONFIG: '/kong.yml',
      KONG_PLUGINS: 'bundled, my-plugin',
      KONG_PLUGINSERVER_NAMES: 'my-plugin,other',
      KONG_PLUGINSERVER_MY_PLUGIN_SOCKET: '/s',
      KONG_PLUGINSERVER_MY_PLUGIN_QUERY_CMD: 'dump it',
      KONG_PLUGINSERVER_OTHER_START_CMD: 'start it',
      KONG_PROXY_LISTEN: '0.0.0.0:8000 reuseport, 0.0.0.0:8443 http2 ssl',
      KONG_ADMIN_LISTEN: '0.0.0.0:8001',
      KONG_LOG_LEVEL: 'debug',
      KONG_DATABASE: 'off',
      KONG_NGINX_MAIN_ENV: 'A; env B=1',
    };
    expect(
      compileSandboxOptions({ config: [], pluginServer: [], adminListen: '127.0.0.1:9001' }, environment),
    ).toEqual({
      config: ['/kong.yml'],
      plugins: ['bundled', 'my-plugin'],
      pluginServers: [
        { name: 'my-plugin', socket: '/s', queryCommand: 'dump it' },
        { name: 'other', startCommand: 'start it' },
      ],
      proxyListen: '0.0.0.0:8000 reuseport, 0.0.0.0:8443 http2 ssl',
      adminListen: '127.0.0.1:9001',
      logLevel: 'debug',
      database: 'off',
      nginxMainEnv: 'A; env B=1',
    });
  });

  test('a plugin server in one argument, commas in commands allowed', () => {
    const { pluginServers } = compileSandboxOptions(
      { config: [], pluginServer: ['a=/s.socket,query=dump a,b --x=1,start=go', 'b,dump=/b.json'] },
      {},
    );
    expect(pluginServers).toEqual([
      { name: 'a', socket: '/s.socket', queryCommand: 'dump a,b --x=1', startCommand: 'go' },
      { name: 'b', dump: '/b.json' },
    ]);
  });

  test.each([
    [{ pluginServer: ['=x'] }, {}],
    [{ pluginServer: [], workers: 'many' }, {}],
    [{ pluginServer: [] }, { KONG_LOG_LEVEL: 'loud' }],
  ])('%j is refused', (flags, environment) => {
    expect(() => compileSandboxOptions({ config: [], ...flags }, environment)).toThrow(
      expect.objectContaining({ code: 'USAGE' }) as Error,
    );
  });
});

test('listen directives', () => {
  expect(parseListen('127.0.0.1:8000, [::1]:8443 http2 ssl', '--proxy-listen')).toEqual([
    { host: '127.0.0.1', port: 8000, tls: false, option: '--proxy-listen' },
    { host: '::1', port: 8443, tls: true, option: '--proxy-listen' },
  ]);
  expect(() => parseListen('here', '--proxy-listen')).toThrow('is not an address');
});
