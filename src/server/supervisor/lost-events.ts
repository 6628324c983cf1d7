import type { ServerLog } from '../log/types.ts';
import type { RememberedInstances } from '../remembered/remembered-instances.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Lines per worker; more of the same help nobody. */
const mostLines = 100;

/**
 * Reports every event that ran on a worker when it ended, as far as its guard has seen it: one that has begun in the
 * last 50 ms may be missing, one that has ended in them may be named. The youngest comes first: where a plugin has
 * blocked or crashed the worker, it is the likely one.
 */
export function reportLostEvents(worker: WorkerProcess, records: RememberedInstances, log: ServerLog): void {
  const events = worker.inFlight();
  for (const { instance, phase, ranFor: ranForMs } of events.slice(0, mostLines)) {
    log.error('an event was in flight on a worker that has ended', {
      worker: worker.slot,
      workerPid: worker.pid,
      plugin: records.peek(instance)?.name ?? null,
      phase,
      instance,
      ranForMs,
      inFlight: events.length,
    });
  }
}
