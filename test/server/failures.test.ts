import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongClient, Load } from './support/kong-client.ts';
import { isAlive, until, Workbench } from './support/server-process.ts';

let bench: Workbench;
let kong: KongClient;

beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(async () => {
  kong.close();
  await bench.clean();
});

describe('a worker', { timeout: 60_000 }, () => {
  it('that is killed under load fails only the events in flight on it', async () => {
    const server = await bench.serve(['steady'], '--workers', '2').ready();
    kong = new KongClient(server.socket);
    const id = await kong.instance('steady', {});
    const load = new Load(8, () => kong.event('steady', {}, 'access'));
    for (let round = 0; round < 2; round++) {
      const before = load.done;
      await until(async () => load.done > before + 100, 'events');
      const pids = await server.workerPids();
      process.kill(pids[round % 2] ?? 0, 'SIGKILL');
      await until(async () => {
        const now = await server.workerPids();
        return now.length === 2 && now.every((pid) => pid !== pids[round % 2]);
      }, 'a new worker');
      await server.ready();
    }
    const before = load.done;
    await until(async () => load.done > before + 100, 'events after that');
    await load.stop();
    // At most what was in flight: 8 connections, half of them on each worker, twice.
    expect(load.failures.length).toBeLessThanOrEqual(16);
    expect(load.done).toBeGreaterThan(200);
    const died = server.log.filter(({ message }) => message.startsWith('a worker has died'));
    expect(died.map(({ why }) => why)).toEqual(['signal SIGKILL', 'signal SIGKILL']);
    // An instance from before the crashes is still good.
    expect((await kong.handle(id, 'access')).calls).toHaveLength(2);
    expect((await server.status()).restarts).toMatchObject({ died: 2 });
  });

  it('that blocks its event loop is killed and replaced, and others go on', async () => {
    const server = await bench.serve(['wild', 'steady'], '--workers', '2', '--block-limit', '1').ready();
    kong = new KongClient(server.socket);
    await kong.event('steady', {}, 'access');
    const blocked = kong.event('wild', { how: 'block' }, 'access').catch((error: unknown) => error);
    const line = await server.logged('event loop for too long');
    expect(line).toMatchObject({ level: 'crit' });
    expect(String(await blocked)).toContain('worker_ended');
    expect(await server.logged('in flight on a worker that has ended')).toMatchObject({
      plugin: 'wild',
      phase: 'access',
      inFlight: 1,
    });
    await server.ready();
    expect((await kong.event('steady', {}, 'access')).calls).toHaveLength(2);
    expect((await server.status()).restarts).toMatchObject({ blocked: 1 });
  });

  it('that grows beyond its memory is replaced without a failed event', async () => {
    const server = await bench.serve(['wild'], '--workers', '1', '--max-worker-memory', '400M').ready();
    kong = new KongClient(server.socket);
    const [first] = await server.workerPids();
    for (let count = 0; count < 24; count++) await kong.event('wild', { how: 'leak' }, 'access');
    expect(await server.logged('grown beyond --max-worker-memory')).toMatchObject({ level: 'error' });
    await until(async () => !isAlive(first ?? 0), 'the end of the worker that leaks');
    await kong.event('wild', {}, 'access');
    expect((await server.status()).restarts).toMatchObject({ memory: 1, died: 0 });
  });

  it('goes on when a plugin calls process.exit', async () => {
    const server = await bench.serve(['wild'], '--workers', '1').ready();
    kong = new KongClient(server.socket);
    const pids = await server.workerPids();
    expect((await kong.event('wild', { how: 'exit' }, 'access')).calls).toEqual(['kong.response.exit']);
    await server.logged('process.exit(3) was called');
    expect(await server.workerPids()).toEqual(pids);
  });

  it('that an event ends again and again is started again, and Kong stops trying that event', async () => {
    const server = await bench.serve(['wild'], '--workers', '1').ready();
    kong = new KongClient(server.socket);
    await expect(kong.event('wild', { how: 'crash' }, 'access')).rejects.toThrow('worker_ended');
    expect(kong.retries).toBe(1);
    expect(await server.logged('a worker has died')).toMatchObject({
      why: 'signal SIGKILL',
      connectionsClosed: 1,
    });
    await kong.event('wild', {}, 'access');
  });

  it('survives what a plugin throws where nobody catches', async () => {
    const server = await bench.serve(['wild'], '--workers', '1').ready();
    kong = new KongClient(server.socket);
    const pids = await server.workerPids();
    await kong.event('wild', { how: 'throw' }, 'access');
    expect((await server.logged('thrown where nobody catches')).level).toBe('error');
    expect(await server.workerPids()).toEqual(pids);
  });
});
