import type { ForwardedStep } from '../connection/index.ts';
import { owedForwarded } from '../connection/owed-answer.ts';
import type { InFlightEvent } from '../in-flight/register.ts';
import type { Ask } from '../ipc/messages.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Takes steps of MsgPack:1 events from the worker to which Kong has sent them to the one that runs the event. */
export class ForwardedSteps {
  readonly #byUid: (uid: number) => WorkerProcess | null;
  /** The events in flight on workers that one of those events is likely to have ended, by the workers' numbers. */
  readonly #suspected = new Map<number, readonly InFlightEvent[]>();

  constructor(byUid: (uid: number) => WorkerProcess | null) {
    this.#byUid = byUid;
  }

  /** A worker has ended. */
  ended(worker: WorkerProcess): void {
    if (worker.suspect) this.#suspected.set(worker.uid, worker.inFlight());
    else this.#suspected.delete(worker.uid);
  }

  /** @returns the owner's answer, or one in its place, see owedForwarded. The promise may reject. */
  async take(ask: Ask & { op: 'step' }): Promise<unknown> {
    const { eventId } = ask.message as ForwardedStep;
    const owner = this.#byUid(ask.owner);
    if (owner === null) {
      const lost = this.#suspected.get(ask.owner);
      return owedForwarded(
        lost?.find((event) => event.eventId === eventId)?.phase ?? null,
        lost !== undefined,
      );
    }
    try {
      return await owner.ask(ask);
    } catch (error) {
      if (owner.state !== 'gone') throw error;
      const owed = owner.owed.find((request) => request.eventId === eventId);
      return owedForwarded(owed === undefined || owed.phase === 'start' ? null : owed.phase, owner.suspect);
    }
  }
}
