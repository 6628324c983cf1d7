import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { render } from '../../../src/kong-setup/formats.ts';
import { pluginFolder } from '../../../src/kong-setup/plugin-folder.ts';
import type { SettingsOptions } from '../../../src/kong-setup/settings.ts';
import { kongSettings } from '../../../src/kong-setup/settings.ts';
import { factsOf } from '../../../src/kong-setup/versions.ts';

const options = (over: Partial<SettingsOptions> = {}): SettingsOptions => ({
  plugins: [
    { name: 'hello', spec: '/plugins/of/me/hello.ts', protocol: 'protobuf', folder: '/plugins/of' },
    { name: 'http-log-enterprise', spec: 'http-log-enterprise', protocol: 'protobuf' },
  ],
  facts: factsOf('3.9'),
  mode: 'sidecar',
  socket: '/shared/kong-ts.socket',
  command: [],
  dumpFolder: '/shared',
  ...over,
});
const print = (format: 'compose' | 'helm', over: Partial<SettingsOptions> = {}): string =>
  render(kongSettings(options(over)), format);

interface Container {
  name?: string;
  image: string;
  command?: string[];
  args?: string[];
  volumes?: string[];
  volumeMounts: { name: string; mountPath: string }[];
  environment?: Record<string, string>;
  healthcheck: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  securityContext?: { runAsUser: number };
  readinessProbe?: { exec: { command: string[] } };
}

describe('a compose file for a sidecar', () => {
  const file = parse(print('compose')) as {
    services: Record<'kong' | 'kong-ts', Container>;
    volumes: Record<string, unknown>;
  };
  const { kong, 'kong-ts': server } = file.services;

  it('holds the plugin server, its plugins mounted where it is told that they are', () => {
    expect(server.image).toBe('kong-ts-sidecar');
    expect(server.command).toEqual(['/plugins/of/me/hello.ts', 'http-log-enterprise']);
    expect(server.volumes).toContain('/plugins/of:/plugins/of:ro');
    expect(server.healthcheck.test).toEqual([
      'CMD',
      '/usr/local/bin/kong-ts',
      'status',
      '--socket',
      '/run/kong-ts/kong-ts.socket',
    ]);
  });

  it('shares one volume, where Kong looks for the socket and the dumps', () => {
    expect(server.volumes).toContain('kong-ts-socket:/run/kong-ts');
    expect(kong.volumes).toEqual(['kong-ts-socket:/shared']);
    expect(Object.keys(file.volumes)).toEqual(['kong-ts-socket', 'kong-ts-data']);
    expect(kong.environment).toMatchObject({
      KONG_PLUGINSERVER_HELLO_SOCKET: '/shared/kong-ts.socket',
      KONG_PLUGINSERVER_HELLO_QUERY_CMD: 'cat /shared/hello.json',
    });
  });

  it('lets Kong wait for the dumps and the socket', () => {
    expect(kong.depends_on).toEqual({ 'kong-ts': { condition: 'service_healthy' } });
    expect(kong.image).toBe('kong:3.9');
    expect(kong.healthcheck.test).toEqual(['CMD', 'kong', 'health']);
  });
});

describe("values of Kong's chart for a sidecar", () => {
  const text = print('helm', { sidecarImage: 'registry/mine:1' });
  const { env, deployment } = parse(text) as {
    env: Record<string, string>;
    deployment: Record<'initContainers' | 'sidecarContainers', Container[]> & {
      userDefinedVolumes: { name: string }[];
      userDefinedVolumeMounts: { name: string; mountPath: string }[];
    };
  };
  const [init] = deployment.initContainers;
  const [server] = deployment.sidecarContainers;

  it('writes the dumps before Kong reads them', () => {
    expect(env.pluginserver_hello_query_cmd).toBe('cat /shared/hello.json');
    expect(init?.args?.[0]).toBe(
      '/usr/local/bin/kong-ts dump /plugins/hello.ts > /run/kong-ts/hello.json\n' +
        '/usr/local/bin/kong-ts dump http-log-enterprise > /run/kong-ts/http-log-enterprise.json\n',
    );
    expect(init?.image).toBe('registry/mine:1');
  });

  it('serves from a container with probes and the user of its image', () => {
    expect(server?.args).toEqual(['/plugins/hello.ts', 'http-log-enterprise']);
    expect(server?.securityContext?.runAsUser).toBe(1000);
    expect(server?.readinessProbe?.exec.command).toContain('status');
  });

  it('mounts only volumes that are there, and Kong where it looks', () => {
    const names = deployment.userDefinedVolumes.map(({ name }) => name);
    for (const { volumeMounts } of [...deployment.initContainers, ...deployment.sidecarContainers])
      expect(names).toEqual(expect.arrayContaining(volumeMounts.map(({ name }) => name)));
    expect(deployment.userDefinedVolumeMounts).toEqual([{ name: 'kong-ts-socket', mountPath: '/shared' }]);
    expect(text).toContain(
      'kubectl create configmap kong-ts-plugins --from-file=hello.ts=/plugins/of/me/hello.ts',
    );
  });

  it('has no ConfigMap where all plugins are bundled', () => {
    const plugins = options().plugins.slice(1);
    expect(print('helm', { plugins })).not.toContain('configMap');
    expect(print('compose', { plugins })).not.toContain(':ro');
  });
});

it.each([
  ['two folders', { dumpFolder: '/other' }, '--dump-folder'],
  ['another name of the socket', { socket: '/shared/my.socket' }, 'kong-ts.socket'],
])('%s cannot be one volume of the image', (_, over, says) => {
  expect(() => print('compose', over)).toThrow(says);
  expect(() => print('helm', over)).toThrow(says);
  expect(() => render(kongSettings(options(over)), 'env')).not.toThrow();
});

it('the folder of a plugin is that of its package, or what holds its node_modules', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-folder-'));
  try {
    mkdirSync(path.join(folder, 'src'));
    writeFileSync(path.join(folder, 'package.json'), '{}');
    expect(pluginFolder(path.join(folder, 'src', 'hello.ts'))).toBe(folder);
    expect(pluginFolder('/app/node_modules/a/node_modules/b/index.js')).toBe('/app');
    expect(pluginFolder('/no/package/here/hello.ts')).toBe('/no/package/here');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
