import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../base/errors.ts';
import type { ThreadAnswer, ThreadStart } from './thread.ts';

/**
 * The other side of a `LuaThread`: runs its jobs.
 *
 * @param start gets the data of the thread. It is not watched, and resolves with the function that runs a job. That
 * function calls `step` before each part that may take its time.
 */
export function serveLuaThread<Data, Job, Reply>(
  start: (data: Data) => Promise<(job: Job, step: () => void) => Reply | Promise<Reply>>,
): void {
  const { steps, data } = workerData as ThreadStart;
  const counter = new Int32Array(steps);
  const starting = start(data as Data);
  const step = (): void => {
    Atomics.add(counter, 0, 1);
  };
  const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);
  // Each job is answered with a failure to start.
  starting.then(
    () => parentPort?.postMessage('ready'),
    () => parentPort?.postMessage('ready'),
  );
  parentPort?.on('message', (job: Job) => {
    starting
      .then((run) => run(job, step))
      .then(
        (value) => answer({ value }),
        (error: unknown) => answer({ error: messageOf(error) }),
      );
  });
}
