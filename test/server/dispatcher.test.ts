import { afterEach, beforeEach, describe, it } from 'vitest';
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
});
