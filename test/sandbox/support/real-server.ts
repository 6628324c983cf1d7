import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { KongApi, Phase } from '../../../src/pdk/index.ts';
import { dumpDocument } from '../../../src/plugin/dump.ts';
import { loadPlugin } from '../../../src/plugin/loader.ts';
import type { Sandbox } from '../../../src/sandbox/index.ts';
import { startSandbox } from '../../../src/sandbox/index.ts';
import { startServer } from '../../../src/server/index.ts';
import { behaviour } from '../plugins/behaviour.ts';
import type { Upstream } from './upstream.ts';
import { echoUpstream } from './upstream.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** The sandbox, kong-ts's own plugin server and an upstream, all in this process. */
export interface RealGateway {
  readonly sandbox: Sandbox;
  readonly upstream: Upstream;
  /** The plugin server's log. */
  readonly lines: LogLine[];
  /** The sandbox's log. */
  readonly logs: string[];
  /** Runs these handlers from now on, and forgets what was logged. */
  run(handlers: Partial<Record<Phase, (kong: KongApi) => unknown>>): void;
  /** Resolves when the log phases of all requests have ended. */
  logged(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param names of plugins in test/sandbox/plugins; the first is the one whose log phases `logged` waits for. They share a
 * socket, and with it Kong's connections.
 * @param merge whether calls are merged
 */
export async function realGateway(
  names: string | readonly string[],
  config: (port: number) => object,
  proxyListen = '127.0.0.1:0',
  merge = true,
): Promise<RealGateway> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kong-ts-real-'));
  const files = [names]
    .flat()
    .map((name) => [name, fileURLToPath(new URL(`../plugins/${name}.ts`, import.meta.url))] as const);
  const socket = path.join(directory, 's.sock');
  const lines: LogLine[] = [];
  const logs: string[] = [];
  let begun = 0;
  let ended = 0;
  const server = await startServer({
    plugins: files.map(([, file]) => file),
    socket,
    merge,
    log: (level, fields, message) => lines.push({ level, fields, message }),
  });
  const upstream = await echoUpstream();
  const configFile = path.join(directory, 'kong.json');
  writeFileSync(configFile, JSON.stringify(config(upstream.port)));
  const sandbox = await startSandbox({
    config: [configFile],
    proxyListen,
    adminListen: 'off',
    prefix: directory,
    pluginServers: await Promise.all(
      files.map(async ([name, file]) => ({ name, socket, dump: dumpDocument([await loadPlugin(file)]) })),
    ),
    log: (level, message) => logs.push(`${level} ${message}`),
  });
  return {
    sandbox,
    upstream,
    lines,
    logs,
    run(handlers) {
      for (const phase of Object.keys(behaviour)) delete behaviour[phase];
      Object.assign(behaviour, handlers, {
        rewrite(kong: KongApi) {
          begun++;
          return handlers.rewrite?.(kong);
        },
        log: async (kong: KongApi) => {
          try {
            await handlers.log?.(kong);
          } finally {
            ended++;
          }
        },
      });
      begun = ended = 0;
      lines.length = 0;
      logs.length = 0;
      upstream.requests.length = 0;
    },
    async logged() {
      await vi.waitUntil(() => begun === ended, { interval: 5, timeout: 20_000 });
    },
    async close() {
      await sandbox.close();
      await server.stop();
      await upstream.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A gateway's configuration: one service, one route for everything, and the plugins for all requests. */
export const simpleConfig =
  (...names: string[]) =>
  (port: number): object => ({
    _format_version: '3.0',
    services: [
      {
        name: 'local',
        url: `http://127.0.0.1:${String(port)}/base`,
        routes: [{ name: 'all', paths: ['/'], strip_path: false }],
      },
    ],
    plugins: names.map((name) => ({ name })),
  });
