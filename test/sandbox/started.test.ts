import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { send } from './support/client.ts';
import type { Upstream } from './support/upstream.ts';
import { echoUpstream } from './support/upstream.ts';

// A server that is started and ended as Kong starts and ends one.

const bin = fileURLToPath(new URL('../../bin/kong-ts.js', import.meta.url));
const source = `
import { definePlugin } from 'kong-ts';
export default definePlugin({
  name: 'shown', version: '1.0.0', priority: 10,
  async access(kong) {
    await kong.response.setHeader('x-env', Object.keys(process.env).filter((name) => !name.startsWith('MALLOC_')).sort().join(' '));
    await kong.response.setHeader('x-token', process.env.SOME_TOKEN ?? '');
  },
});
`;

let folder: string;
let upstream: Upstream;
let sandbox: Sandbox;
let logs: string[];
let taken: number;

/** How often a new server has told that it holds the socket now. */
const takeovers = () => logs.filter((line) => line.includes('"replaced":"a live server"')).length;

beforeEach(async () => {
  taken = 0;
  folder = mkdtempSync(path.join(tmpdir(), 'kts-'));
  logs = [];
  upstream = await echoUpstream();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await sandbox.close();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

/** @param flags what the start command has besides */
async function start(flags: string): Promise<string> {
  const plugin = path.join(folder, 'shown.ts');
  const socket = path.join(folder, 's.socket');
  writeFileSync(plugin, source);
  const url = `http://127.0.0.1:${String(upstream.port)}`;
  const services = [{ name: 's', url, routes: [{ name: 'r', paths: ['/'] }] }];
  const config = path.join(folder, 'kong.json');
  writeFileSync(config, JSON.stringify({ _format_version: '3.0', services, plugins: [{ name: 'shown' }] }));
  const command = `${process.execPath} ${bin}`;
  sandbox = await startSandbox({
    config: [config],
    proxyListen: '127.0.0.1:0',
    adminListen: 'off',
    prefix: folder,
    nginxMainEnv: 'SOME_TOKEN',
    log: (_level, line) => logs.push(line),
    // A new server that takes longer to start than the old nginx worker to end fails requests: see docs/operations.md.
    oldWorkerEnds: () => vi.waitUntil(() => takeovers() > taken && ++taken, { timeout: 50_000 }),
    pluginServers: [
      {
        name: 'shown',
        socket,
        queryCommand: `${command} dump ${plugin}`,
        startCommand: `${command} serve ${plugin} --socket ${socket} --workers 1 ${flags}`,
      },
    ],
  });
  return socket;
}

test('a server under nginx has no token of ours but the named ones, and reloads fail no request', async () => {
  vi.stubEnv('SOME_TOKEN', 'secret');
  const socket = await start('');
  await vi.waitUntil(() => existsSync(socket), { timeout: 20_000 });
  const { headers } = await send(sandbox.proxyUrl ?? '', {});
  expect([headers['x-env'], headers['x-token']]).toEqual([
    expect.stringMatching(/^(?:NODE_\w+ )*(?:OLDPWD )?PWD SOME_TOKEN(?: TZ)?$/),
    'secret',
  ]);
  const statuses: Record<string, number> = {};
  let on = true;
  const loops = [1, 2].map(async () => {
    while (on) {
      const { status } = await send(sandbox.proxyUrl ?? '', {});
      statuses[status] = (statuses[status] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  for (let round = 0; round < 2; round++) await sandbox.reload();
  expect(takeovers()).toBe(2);
  on = false;
  await Promise.all(loops);
  expect(Object.keys(statuses), logs.join('\n')).toEqual(['200']);
}, 60_000);

test('an Admin API of event hooks beyond loopback is refused there without a token', async () => {
  vi.stubEnv('KONG_TS_ADMIN_TOKEN', 'set for kong start');
  const socket = await start('--event-hooks on --event-hooks-admin 0.0.0.0:0');
  await vi.waitUntil(() => logs.some((line) => line.includes('would be open to the network')), {
    timeout: 20_000,
  });
  expect(existsSync(socket)).toBe(false);
}, 60_000);
