import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askServer } from '../../src/server/admin/client.ts';
import type { ReloadResult } from '../../src/server/index.ts';
import { KongClient, Load } from './support/kong-client.ts';
import { PackedConnection } from './support/msgpack-client.ts';
import type { ServerProcess } from './support/server-process.ts';
import { isAlive, plugin, until, Workbench } from './support/server-process.ts';

/** How often a change is made under load; CI makes it 10 times. */
const rounds = Number(process.env.KONG_TS_CHANGE_ROUNDS ?? 3);

let bench: Workbench;
let kong: KongClient;

beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(async () => {
  kong.close();
  await bench.clean();
});

async function reload(server: ServerProcess): Promise<ReloadResult> {
  return (await askServer(`${server.socket}.ctl`, 'POST', '/reload')) as ReloadResult;
}

/** The source of a plugin that sets a header; `field` is in its schema. */
function source(header: string, field: string): string {
  return `import { definePlugin } from 'kong-ts';
import { z } from 'zod';
export default definePlugin({
  name: 'changing', version: '1.0.0', priority: 1, config: z.object({ ${field}: z.string().optional() }),
  async access(kong) { await kong.response.${header}('x', 'y'); },
});
`;
}

describe('a reload', { timeout: 240_000 }, () => {
  it(`under load, ${String(rounds)} times, fails no event and closes no connection, over both protocols`, async () => {
    const server = await bench.serve(['steady', 'packed'], '--workers', '1').ready();
    kong = new KongClient(server.socket);
    const packed = new KongClient(server.socket, 'msgpack', kong);
    packed.results['kong.request.get_method'] = 'GET';
    const loads = [
      new Load(4, () => kong.event('steady', {}, 'access')),
      new Load(4, () => packed.event('packed', {}, 'access')),
    ];
    for (let round = 0; round < rounds; round++) {
      expect(await reload(server)).toMatchObject({ reloaded: true, needKongReload: [] });
    }
    for (const load of loads) {
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(load.done).toBeGreaterThan(10 * rounds);
    }
    expect([kong.retries, packed.retries, packed.skipped]).toEqual([0, 0, []]);
  });

  it('runs new code, says when Kong has to reload, keeps the old code when the new does not load', async () => {
    const file = join(bench.folder, 'changing.ts');
    await writeFile(file, source('setHeader', 'a'));
    const server = await bench.serve([file], '--workers', '1').ready();
    kong = new KongClient(server.socket);
    expect((await kong.event('changing', {}, 'access')).calls).toEqual(['kong.response.set_header']);

    await writeFile(file, source('addHeader', 'a'));
    expect(await reload(server)).toMatchObject({ reloaded: true, needKongReload: [] });
    expect((await kong.event('changing', {}, 'access')).calls).toEqual(['kong.response.add_header']);

    await writeFile(file, source('setHeader', 'b'));
    expect(await reload(server)).toMatchObject({ reloaded: true, needKongReload: ['changing'] });
    expect(await server.logged('run "kong reload"')).toMatchObject({ level: 'warn' });

    await writeFile(file, 'throw new Error("half written");');
    const failed = await reload(server);
    expect(failed.reloaded).toBe(false);
    expect(failed.failures[0]?.message).toContain('half written');
    expect((await kong.event('changing', {}, 'access')).calls).toEqual(['kong.response.set_header']);
  });
});

describe('a plugin that does not load', { timeout: 240_000 }, () => {
  it('gives the reason and is tried again until it does', async () => {
    const file = join(bench.folder, 'changing.ts');
    await writeFile(file, 'throw new Error("no licence");');
    const server = await bench.serve([file, plugin('steady')], '--workers', '1').ready();
    kong = new KongClient(server.socket);
    expect((await server.logged('a plugin does not load'))['reason']).toContain('no licence');
    // Kong is not refused the instance: its requests are.
    expect((await kong.event('changing', {}, 'access')).calls).toEqual(['kong.response.exit']);
    expect((await kong.event('steady', {}, 'access')).calls).toHaveLength(2);
    await writeFile(file, source('setHeader', 'a'));
    await server.logged('plugins reloaded');
    expect((await kong.event('changing', {}, 'access')).calls).toHaveLength(1);
  });
});

describe('a takeover', { timeout: 240_000 }, () => {
  it(`under load, ${String(rounds)} times, refuses no connection and fails no event`, async () => {
    let server = await bench.serve(['steady'], '--workers', '1').ready();
    kong = new KongClient(server.socket);
    const old: ServerProcess[] = [];
    const load = new Load(4, () => kong.event('steady', {}, 'access'));
    for (let round = 0; round < rounds; round++) {
      const next = bench.serve(['steady'], '--workers', '1');
      await next.logged('listening');
      // Events run on the server that is about to end.
      const before = load.done;
      await expect.poll(() => load.done, { timeout: 20_000 }).toBeGreaterThan(before + 5);
      // Kong ends the old one some time later.
      old.push(server);
      server.kill('SIGTERM');
      server = next;
    }
    await server.ready();
    await load.stop();
    expect(load.failures).toEqual([]);
    for (const one of old) expect(await one.exited).toEqual({ code: 0, signal: null });
    await kong.event('steady', {}, 'access');
  });

  it('answers on a connection that is in use, lets Kong go to the new server with it, ends by itself and leaves the new one its files', async () => {
    const first = await bench.serve(['steady', 'packed'], '--workers', '1').ready();
    kong = new KongClient(first.socket);
    const used = new PackedConnection(first.socket);
    const { result } = await used.call('plugin.StartInstance', { Name: 'packed', Config: '{}' });
    const handle = { InstanceId: (result as { Id: number }).Id, EventName: 'access' };
    const event = async (): Promise<number> => {
      let answer = await used.call('plugin.HandleEvent', handle, true);
      for (let steps = 0; ; steps++) {
        expect(answer.error).toBeNull();
        const { EventId, Data } = answer.result as { EventId: number; Data: unknown };
        if (Data === 'ret') return steps;
        answer = await used.call('plugin.Step', { EventId, Data: 'GET' }, true);
      }
    };
    kong.close();
    const second = bench.serve(['steady', 'packed'], '--workers', '1');
    await second.logged('listening');
    await first.logged('draining');
    // The worker hears of it a moment later; until then it answers as always.
    await until(async () => {
      expect(await event()).toBe(2);
      return used.opened > 1;
    }, 'Kong to let go of the connection');
    for (let count = 0; count < 20; count++) expect(await event()).toBe(2);
    expect(used.opened).toBe(2);
    expect(await first.exited).toEqual({ code: 0, signal: null });
    await second.ready();
    expect(readdirSync(bench.folder).sort()).toEqual(['k.sock', 'k.sock.ctl', 'k.sock.instances']);
    await kong.event('steady', {}, 'access');
  });
});

describe('a stop', { timeout: 240_000 }, () => {
  it('finishes events in flight, flushes what plugins hold and leaves nothing behind', async () => {
    const file = join(bench.folder, 'flushed');
    const server = await bench.serve(['flushing', 'steady'], '--workers', '2').ready();
    kong = new KongClient(server.socket);
    for (let count = 0; count < 5; count++) await kong.event('flushing', { file }, 'access');
    const pids = await server.workerPids();
    const { answered } = kong;
    const slow = kong.event('steady', { wait: 500 }, 'access');
    await until(async () => kong.answered > answered, 'the first call of the slow event');
    server.kill('SIGTERM');
    expect((await slow).calls).toHaveLength(2);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    const flushed = (await readFile(file, 'utf8')).trim().split('\n').map(Number);
    expect(flushed.reduce((sum, count) => sum + count, 0)).toBe(5);
    expect(pids.some(isAlive)).toBe(false);
    expect(readdirSync(bench.folder)).toEqual(['flushed', 'k.sock.instances']);
  });

  it('kill -9 of the supervisor leaves no process, also when a plugin blocks its worker', async () => {
    const servers = ['behave', 'block'].map((how) => ({
      how,
      server: bench.serveAt(`${how}.sock`, ['wild'], '--workers', '2', '--drain-timeout', '0'),
    }));
    await Promise.all(
      servers.map(async ({ how, server }) => {
        await server.ready();
        const client = new KongClient(server.socket);
        const pids = await server.workerPids();
        const running = client.event('wild', { how }, 'access').catch(() => undefined);
        if (how === 'behave') await running;
        else await new Promise((resolve) => setTimeout(resolve, 200));
        server.kill('SIGKILL');
        await until(async () => !pids.some(isAlive), `the end of the workers (${how})`);
        client.close();
        await running;
      }),
    );
  });
});
