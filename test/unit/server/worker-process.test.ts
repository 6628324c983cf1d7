import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileServerOptions } from '../../../src/server/options.ts';
import { AwakeClock } from '../../../src/server/supervisor/awake-clock.ts';
import type { WorkerEvents } from '../../../src/server/supervisor/worker-process.ts';
import { WorkerProcess } from '../../../src/server/supervisor/worker-process.ts';
import { plugin } from '../../server/support/server-process.ts';

const nothing = (): void => undefined;
const events: WorkerEvents = {
  booted: nothing,
  read: nothing,
  loaded: nothing,
  beat: nothing,
  taken: nothing,
  started: nothing,
  connectionGone: nothing,
  connectionReleased: nothing,
  forget: nothing,
  accepts: nothing,
  ask: nothing,
  gone: nothing,
};

it('a worker whose plugins took long to load is not silent when it says that they have loaded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kts-'));
  let now = 0;
  const awake = new AwakeClock(() => now);
  const options = compileServerOptions({
    plugins: [plugin('steady')],
    socket: join(folder, 's'),
    workers: 1,
  });
  const start = {
    options,
    uid: 1,
    slot: 0,
    count: 1,
    kong: null,
    hooks: null,
    careful: false,
    withheld: [],
  };
  let before: number | null = null;
  const worker = await new Promise<WorkerProcess>((resolve) => {
    new WorkerProcess(
      start,
      {
        ...events,
        booted: (booted) => {
          for (let looks = 0; looks < 100; looks++) {
            now += 200;
            awake.look();
          }
          before = booted.silentMs;
        },
        loaded: resolve,
      },
      awake,
    );
  });
  try {
    expect([before, worker.state, worker.silentMs]).toEqual([20_000, 'ready', 0]);
  } finally {
    worker.kill('the test is over');
    await worker.exited;
    awake.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
