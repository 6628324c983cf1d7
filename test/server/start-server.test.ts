import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/server/index.ts';
import { startServer } from '../../src/server/index.ts';
import { KongClient } from './support/kong-client.ts';
import { plugin, until } from './support/server-process.ts';

let folder: string;
let server: RunningServer | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kts-'));
});
afterEach(async () => {
  await server?.stop();
  await rm(folder, { recursive: true });
});

describe('startServer', () => {
  it('serves in this process', async () => {
    const socket = join(folder, 'k.sock');
    const lines: string[] = [];
    server = await startServer({
      plugins: [plugin('steady')],
      socket,
      log: (_level, _fields, message) => lines.push(message),
    });
    const kong = new KongClient(socket);
    expect((await kong.event('steady', {}, 'access')).calls).toHaveLength(2);
    expect(server.status()).toMatchObject({ state: 'running', instances: 1, failures: [] });
    expect((await server.metrics()).text).toContain('kong_ts_events_total{plugin="steady",phase="access"} 1');
    expect((await server.reload()).reloaded).toBe(false);
    await server.stop();
    kong.close();
    await server.stopped;
    expect(lines).toEqual(['listening', 'draining', 'stopped']);
  });

  it('keeps a reason for a plugin that does not load', async () => {
    const running = await startServer({ plugins: [plugin('broken')], socket: join(folder, 'k.sock') });
    server = running;
    await until(async () => running.status().failures.length > 0, 'the failure');
    expect(running.status().failures[0]?.message).toContain('no licence');
  });

  it('names a port that is taken and leaves no socket behind', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = (taken.address() as { port: number }).port;
    const options = { plugins: [plugin('steady')], socket: join(folder, 'k.sock') };
    await expect(startServer({ ...options, metrics: `127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    });
    taken.close();
    await writeFile(join(folder, 'file'), '');
    await expect(startServer({ ...options, socket: join(folder, 'file') })).rejects.toMatchObject({
      code: 'SOCKET_IN_USE',
    });
  });
});
