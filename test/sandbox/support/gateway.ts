import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Sandbox, SandboxOptions } from '../../../src/sandbox/index.ts';
import { startSandbox } from '../../../src/sandbox/index.ts';
import type { Script, ScriptedServer } from './scripted-server.ts';
import { scriptedServer } from './scripted-server.ts';
import type { Upstream } from './upstream.ts';
import { echoUpstream } from './upstream.ts';

export interface TestGateway {
  readonly sandbox: Sandbox;
  readonly server: ScriptedServer;
  readonly upstream: Upstream;
  readonly logs: string[];
  readonly directory: string;
  readonly writeConfig: (config: object) => void;
  close(): Promise<void>;
}

export const allPhases = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'];

/** The dump of a plugin `probe` with a few fields. */
export function probeDump(
  protocol: 'protobuf' | 'msgpack',
  phases: readonly string[] = allPhases,
  name = 'probe',
): object {
  return {
    Protocol: protocol === 'protobuf' ? 'ProtoBuf:1' : 'MsgPack:1',
    Plugins: [
      {
        Name: name,
        Version: '1.0.0',
        Priority: 500,
        Phases: phases,
        Schema: {
          name,
          fields: [
            {
              config: {
                type: 'record',
                fields: [
                  { n: { type: 'integer', default: 5 } },
                  { note: { type: 'string', default: 'pbnote' } },
                  { list: { type: 'array', elements: { type: 'string' } } },
                ],
              },
            },
          ],
        },
      },
    ],
  };
}

export interface GatewayOptions {
  protocol?: 'protobuf' | 'msgpack';
  script?: Script;
  phases?: readonly string[];
  /** Builds the configuration from the upstream's port. */
  config?: (port: number) => object;
  sandbox?: SandboxOptions;
  upstream?: Upstream;
  /** The plugin's dump, asked for at each reload. Default: of `probe` with the phases. */
  dump?: () => object;
}

/** A sandbox on free ports with a scripted plugin server and an upstream, all in a temporary directory. */
export async function testGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const protocol = options.protocol ?? 'protobuf';
  const directory = mkdtempSync(path.join(tmpdir(), 'kong-ts-test-'));
  const upstream = options.upstream ?? (await echoUpstream());
  const server = await scriptedServer(path.join(directory, 'probe.socket'), protocol, options.script);
  const file = path.join(directory, 'kong.json');
  const writeConfig = (config: object): void => writeFileSync(file, JSON.stringify(config));
  writeConfig((options.config ?? defaultConfig)(upstream.port));
  const logs: string[] = [];
  const sandbox = await startSandbox({
    config: [file],
    proxyListen: '127.0.0.1:0',
    adminListen: 'off',
    prefix: directory,
    pluginServers: [
      { name: 'probe', socket: server.path, dump: options.dump ?? probeDump(protocol, options.phases) },
    ],
    log: (level, message) => logs.push(`${level} ${message}`),
    ...options.sandbox,
  });
  return {
    sandbox,
    server,
    upstream,
    logs,
    directory,
    writeConfig,
    close: async () => {
      await sandbox.close();
      await server.close();
      await upstream.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function defaultConfig(port: number): object {
  return {
    _format_version: '3.0',
    services: [
      {
        name: 'local',
        url: `http://127.0.0.1:${String(port)}/base`,
        routes: [{ name: 'all', paths: ['/'], strip_path: false }],
      },
    ],
    plugins: [{ name: 'probe' }],
  };
}
