import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KongClient, Load } from './support/kong-client.ts';
import type { LogLine, ServerProcess } from './support/server-process.ts';
import { until, Workbench } from './support/server-process.ts';

let bench: Workbench;
let kong: KongClient;
let server: ServerProcess;

// One server for all: that it goes on after each of these is what they are about. Its socket is for both protocols.
beforeAll(async () => {
  bench = await Workbench.create();
  const limits = ['--block-limit', '3', '--max-worker-memory', '400M'];
  server = await bench.serve(['steady', 'wild', 'packed'], '--workers', '2', ...limits).ready();
  kong = new KongClient(server.socket);
});
afterAll(async () => {
  kong.close();
  await bench.clean();
});

/** Runs something and resolves to the lines that the server has logged since. */
async function logged(run: () => Promise<unknown>, part: string): Promise<LogLine[]> {
  const before = server.log.length;
  await run();
  const since = () => server.log.slice(before);
  await until(async () => since().some(({ message }) => message.includes(part)), `the log line "${part}"`);
  return since().filter(({ message }) => message.includes(part));
}

async function restarts(): Promise<Record<string, number>> {
  return (await server.status()).restarts;
}

describe('a worker', () => {
  it('that is killed under load fails only the events in flight on it, each of which is reported', async () => {
    const id = await kong.instance('steady', {});
    const slow = await kong.instance('steady', { wait: 20_000 });
    // An event that is surely in flight.
    const waiting = kong.handle(slow, 'access').catch((error: unknown) => error);
    await until(async () => kong.answered > 0, 'the first call of the slow event');
    const load = new Load(8, () => kong.event('steady', {}, 'access'));
    await until(async () => load.done > 100, 'events');
    // The copy of what is in flight is at most 50 ms old, on a machine with time to spare.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const pids = await server.workerPids();
    for (const pid of pids) {
      const before = load.done;
      const died = await logged(async () => {
        process.kill(pid, 'SIGKILL');
      }, 'a worker has died');
      expect(died[0]).toMatchObject({ why: 'signal SIGKILL', workerPid: pid });
      await server.ready();
      await until(async () => load.done > before + 100, 'events after that');
    }
    await load.stop();
    // At most what was in flight: 8 connections, half of them on each worker, twice.
    expect(load.failures.length).toBeLessThanOrEqual(16);
    expect(await waiting).toBeInstanceOf(Error);
    const reports = server.log.filter(({ message }) => message.includes('in flight on a worker'));
    expect(reports).toContainEqual(
      expect.objectContaining({ level: 'error', plugin: 'steady', phase: 'access', instance: slow }),
    );
    // An instance from before the crashes is still good.
    expect((await kong.handle(id, 'access')).calls).toHaveLength(2);
    expect(await restarts()).toMatchObject({ died: 2 });
  });

  it('that blocks its event loop is killed and replaced; others go on', async () => {
    const blocked = kong.event('wild', { how: 'block' }, 'access').catch((error: unknown) => error);
    const others = new KongClient(server.socket);
    const [line] = await logged(async () => {
      // One that was given to the blocked worker in its last second fails with it.
      const works = () =>
        others.event('steady', {}, 'access').then(
          ({ calls }) => calls.length === 2,
          () => false,
        );
      await until(works, 'others');
    }, 'event loop for too long');
    expect(line).toMatchObject({ level: 'crit' });
    expect(String(await blocked)).toContain('worker_ended');
    const reports = server.log.filter(({ message }) => message.includes('in flight on a worker'));
    expect(reports).toContainEqual(expect.objectContaining({ plugin: 'wild', phase: 'access', inFlight: 1 }));
    await server.ready();
    expect((await others.event('steady', {}, 'access')).calls).toHaveLength(2);
    others.close();
    // One, unless the machine has let others stand still for as long: then each is said, and counted.
    const said = server.log.filter(({ message }) => message.includes('event loop for too long'));
    expect(await restarts()).toMatchObject({ died: 2, blocked: said.length });
  });

  it('that grows beyond its memory is replaced without a failed event', async () => {
    const died = (await restarts())['died'];
    const [line] = await logged(async () => {
      const leak = async () => {
        await kong.event('wild', { how: 'leak' }, 'access');
        return (await restarts())['memory'] === 1;
      };
      await until(leak, 'the replacement');
    }, 'grown beyond --max-worker-memory');
    expect(line).toMatchObject({ level: 'error' });
    await server.ready();
    await kong.event('wild', {}, 'access');
    expect(await restarts()).toMatchObject({ memory: 1, died });
  });

  it('goes on when a plugin calls process.exit', async () => {
    const pids = await server.workerPids();
    await logged(async () => {
      expect((await kong.event('wild', { how: 'exit' }, 'access')).calls).toEqual(['kong.response.exit']);
    }, 'process.exit(3) was called');
    expect(await server.workerPids()).toEqual(pids);
  });

  it('survives what a plugin throws where nobody catches', async () => {
    const pids = await server.workerPids();
    const [line] = await logged(
      () => kong.event('wild', { how: 'throw' }, 'access'),
      'thrown where nobody catches',
    );
    expect(line?.level).toBe('error');
    expect(await server.workerPids()).toEqual(pids);
  });

  it('that an event ends again and again is started again, and Kong stops trying that event', async () => {
    const before = kong.retries;
    const crash = kong.event('wild', { how: 'crash' }, 'access');
    await expect(crash).rejects.toThrow('worker_ended');
    // One worker, then the other, then one that is suspected.
    expect(kong.retries - before).toBeLessThanOrEqual(4);
    await server.ready();
    await kong.event('wild', {}, 'access');
  });

  it('that a log event ends again and again: the event is over, and raises nothing in Kong', async () => {
    const before = kong.retries;
    const died = (await restarts())['died'] ?? 0;
    expect(await kong.event('wild', { how: 'crash' }, 'log')).toEqual({ calls: [] });
    expect(kong.retries - before).toBeLessThanOrEqual(6);
    expect((await restarts())['died']).toBe(died + kong.retries - before);
    expect(await server.logged('end without running')).toMatchObject({
      level: 'error',
      plugin: 'wild',
      seconds: 10,
    });
    await server.ready();
    // Another configuration, and another phase, run as before.
    expect(await kong.event('wild', {}, 'log')).toEqual({ calls: [] });
    expect(await kong.event('wild', { how: 'throw' }, 'access')).toEqual({ calls: [] });
    expect(server.log.filter(({ code }) => code === 'LOG_WITHHELD')).toHaveLength(1);
  });
});
