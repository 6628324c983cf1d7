import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import type { ThreadAnswer, ThreadStart } from './thread.ts';

/**
 * The other side of a `LuaThread`: runs its jobs.
 *
 * @param start given the data of the thread; what it returns runs a job and calls `step` before each part that may take
 *   its time
 */
export function serveLuaThread<Data, Job, Reply>(
  start: (data: Data) => (job: Job, step: () => void) => Reply | Promise<Reply>,
): void {
  const { steps, data } = workerData as ThreadStart;
  const counter = new Int32Array(steps);
  const run = start(data as Data);
  const step = (): void => {
    Atomics.add(counter, 0, 1);
  };
  const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);
  parentPort?.on('message', (job: Job) => {
    Promise.resolve()
      .then(() => run(job, step))
      .then(
        (value) => answer({ value }),
        (error: unknown) => answer({ error: messageOf(error) }),
      );
  });
}
