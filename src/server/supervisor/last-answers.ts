import { eventAborted } from '../connection/abort.ts';
import { owedAnswer } from '../connection/owed-answer.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * Tickets of the connections with events that have ended with a worker. Where one of the events is likely to have ended
 * the worker, Kong is told that they have failed. Two kinds are left out:
 * - Log events. A failure raises in Kong's timer, and Kong then gives that request's data to later ones (measured on
 *   Kong 3.9.3).
 * - Connections on which an instance starts. Kong would wait for that instance from then on.
 */
export function inFlightOn(worker: WorkerProcess): ReadonlyMap<number, Buffer | null> {
  const found = new Map<number, Buffer | null>();
  for (const { phase, ticket } of worker.inFlight()) {
    if (ticket > 0) found.set(ticket, worker.suspect && phase !== 'log' ? eventAborted : null);
  }
  for (const request of worker.owed) {
    if (request.ticket > 0) found.set(request.ticket, owedAnswer(request, worker.suspect));
  }
  return found;
}
