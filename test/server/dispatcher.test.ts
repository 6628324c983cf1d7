import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongClient } from './support/kong-client.ts';
import { isAlive, until, Workbench } from './support/server-process.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(async () => {
  await bench.clean();
});

describe('the event hook dispatcher', { timeout: 60_000 }, () => {
  it('runs beside the server, is started again when it dies, and ends with the server', async () => {
    const server = await bench.serve(['steady'], '--workers', '1', '--event-hooks', 'on').ready();
    const listening = async (not: number | null) => {
      let pid: number | null = null;
      await until(async () => {
        const { eventHooks } = await server.status();
        pid = eventHooks?.grpc == null || eventHooks.pid === not ? null : eventHooks.pid;
        return pid !== null;
      }, 'the dispatcher');
      return pid ?? 0;
    };
    const first = await listening(null);
    process.kill(first, 'SIGKILL');
    const second = await listening(first);
    await server.logged('dispatcher has died');
    server.kill('SIGKILL');
    await until(async () => !isAlive(second), 'the end of the dispatcher');
  });

  it('shows the server that has started it: its workers, and what has failed in handlers', async () => {
    const hooks = ['--event-hooks', 'on', '--event-hooks-admin', '127.0.0.1:0'];
    const server = await bench.serve(['wild'], '--workers', '1', ...hooks).ready();
    const kong = new KongClient(server.socket);
    await kong.event('wild', { how: 'throw' }, 'access').catch(() => undefined);
    let admin: string | null = null;
    await until(async () => {
      admin = (await server.status()).eventHooks?.admin ?? null;
      return admin !== null;
    }, 'the Admin API of event hooks');
    const answer = await fetch(`${admin ?? ''}/event-hooks/plugins`);
    const body = (await answer.json()) as Record<string, unknown>;
    kong.close();
    expect(body).toMatchObject({
      reason: null,
      server: { state: 'running', plugins: [{ name: 'wild' }], workers: [{ slot: 0, state: 'ready' }] },
      series: { every_seconds: 15 },
    });
  });
});
