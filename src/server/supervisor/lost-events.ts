import type { ServerLog } from '../log/types.ts';
import type { RememberedInstances } from '../remembered/remembered-instances.ts';
import type { WorkerProcess } from './worker-process.ts';

/** The most lines for one worker. More of them would not help. */
const mostLines = 100;

/**
 * Reports the events that ran on a worker when it ended, as its guard has seen them. An event that began in the last 50
 * ms may be missing. One that ended in them may be named. The youngest comes first: where a plugin has blocked or
 * crashed the worker, that event is the likely one.
 */
export function reportLostEvents(worker: WorkerProcess, records: RememberedInstances, log: ServerLog): void {
  const events = worker.inFlight();
  for (const { instance, phase, ranForMs } of events.slice(0, mostLines)) {
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
