import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import { everything, effectsOf } from '../../pdk/events/index.ts';
import { PendingCall } from './pending-call.ts';
import type { AnswerOrder, Decode } from './pending-call.ts';
import { countBits, findCall, maxPlannedCalls } from './prefetch-plan.ts';
import type { PlannedCall, PlannedFrame, PrefetchPlan } from './prefetch-plan.ts';

/** A sequence that one event asked for, and how many events asked for each of its calls. */
export interface Candidate {
  readonly calls: readonly PlannedCall[];
  readonly hits: number[];
  events: number;
}

/** Hears what became of an event's steady calls. */
export interface PrefetchLessons {
  /** An event has written down what it asked for. */
  built(calls: readonly PlannedCall[]): void;
  /** An event was compared with a candidate. @param seen the positions it asked for, as bits */
  observed(candidate: Candidate, seen: number): void;
  /** An event with a plan is over. @param used answers that the handler asked for after its first call */
  spent(plan: PrefetchPlan, used: number): void;
  /** Kong may have failed a request at a call of the plan that the handler had not asked for. */
  failed(plan: PrefetchPlan): void;
}

/** Told of the answer of a plural that the plan asked for, and which calls have to be made all the same. */
export type PluralTold = (again: readonly PendingCall[]) => void;

/**
 * The steady calls of one event: they are compared with what is known about the handler, and those of the plan are
 * answered from what is on its way. Answers outlive the event; those that nobody asks for any more are read and dropped.
 */
export class Prefetch {
  readonly plan: PrefetchPlan | null;
  readonly #lessons: PrefetchLessons;
  readonly #candidate: Candidate | null;
  /** Bits of the candidate's calls that this event asked for. */
  #seen = 0;
  /** What this event asks for, where it makes the next candidate. */
  #written: PlannedCall[] | null;
  /** Bits of the plan's calls that the handler asked for. */
  #taken = 0;
  /** Bits of the plan's calls whose answer is there. */
  #here = 0;
  /** ... whose answer cannot be read: the error is in its place. */
  #failed = 0;
  /** ... that their plural did not tell: they have to be made. */
  #untold = 0;
  /** By position: the call that waits for the answer, or the answer that waits for a call. */
  readonly #places: unknown[];
  #waiting = 0;
  /** Parts whose calls are not answered any more. */
  #closed = 0;
  #finished = false;
  readonly #told: PluralTold | null;

  /** @param told null where the plan has no plurals */
  constructor(
    lessons: PrefetchLessons,
    plan: PrefetchPlan | null,
    candidate: Candidate | null,
    writesDown: boolean,
    told: PluralTold | null,
  ) {
    this.#lessons = lessons;
    this.plan = plan;
    this.#candidate = candidate;
    this.#written = writesDown ? [] : null;
    this.#places = plan === null ? [] : new Array<unknown>(plan.calls.length);
    this.#told = told;
  }

  /** The first call of a frame that somebody waits for, null where nobody does. */
  waitsFor({ positions }: PlannedFrame): FunctionRow | null {
    if (this.#waiting === 0) return null;
    for (const at of positions) {
      const call = this.#places[at];
      if (call instanceof PendingCall) return call.row;
    }
    return null;
  }

  /** False where a frame's answer is of no use to anybody. */
  wants(frame: PlannedFrame): boolean {
    return !this.#isClosed(frame.row) || this.waitsFor(frame) !== null;
  }

  /** A steady call of the handler: its position in the plan, or -1 when it has to be asked for. */
  take(row: FunctionRow, args: readonly unknown[]): number {
    if (this.#isClosed(row)) return -1;
    if (this.#written !== null) {
      if (this.#written.length < maxPlannedCalls) this.#written.push({ row, args });
    } else if (this.#candidate !== null) {
      const at = findCall(this.#candidate.calls, this.#seen, row, args);
      if (at >= 0) this.#seen |= 1 << at;
    }
    if (this.plan === null) return -1;
    const at = findCall(this.plan.calls, this.#taken, row, args);
    if (at < 0) return -1;
    this.#taken |= 1 << at;
    return (this.#untold & (1 << at)) === 0 ? at : -1;
  }

  /** Whether another call has been answered, or is going to be, by the frame that answers this one. */
  sharesFrame(at: number): boolean {
    const { plan } = this;
    if (plan === null) return false;
    const { positions } = plan.frames[plan.frameOf[at] as number] as PlannedFrame;
    return positions.length > 1 && positions.some((each) => each !== at && (this.#taken & (1 << each)) !== 0);
  }

  /** The answer at a position that was taken. */
  answer(
    at: number,
    row: FunctionRow,
    args: readonly unknown[],
    decode: Decode | null,
    order: AnswerOrder,
  ): Promise<unknown> {
    const call = new PendingCall(row, args, decode, order);
    const here = (this.#here & (1 << at)) !== 0;
    const answer = this.#places[at];
    this.#places[at] = here ? undefined : call;
    if (!here) this.#waiting++;
    else if ((this.#failed & (1 << at)) !== 0) call.reject(answer);
    else call.resolve(answer);
    return call.promise;
  }

  /** A frame's answer has come. */
  arrived(frame: PlannedFrame, value: unknown): void {
    const find = frame.plural?.lookUp(value) ?? null;
    const again: PendingCall[] = [];
    // From the last to the first: a call waits for those that were made before it.
    for (const at of frame.positions.toReversed()) {
      const found = find === null ? value : find(this.plan?.calls[at]?.args[0] as string);
      const call = this.#fetched(at);
      if (call === null) {
        if (find !== null && found === undefined) this.#untold |= 1 << at;
        else this.#places[at] = found;
      } else if (find !== null && found === undefined) again.unshift(call);
      else call.resolve(found);
    }
    if (frame.plural !== null) this.#told?.(again);
  }

  /** A frame's answer cannot be read. */
  unreadable(frame: PlannedFrame, error: unknown): void {
    const again: PendingCall[] = [];
    for (const at of frame.positions) {
      const call = this.#fetched(at);
      if (call !== null && frame.plural !== null) again.push(call);
      else if (call !== null) call.reject(error);
      else if (frame.plural !== null) this.#untold |= 1 << at;
      else {
        this.#failed |= 1 << at;
        this.#places[at] = error;
      }
    }
    if (frame.plural !== null) this.#told?.(again);
  }

  /** The plugin has sent something that may change answers: those that were not asked for are not used. */
  close(parts = everything): void {
    this.#closed |= parts;
    if (this.#closed === everything) this.#report();
  }

  /** Kong has dropped the connection in place of a frame's answer: when only the plan has asked for it, that was why. */
  dropped({ positions }: PlannedFrame): void {
    if (this.plan === null || positions.some((at) => (this.#taken & (1 << at)) !== 0)) return;
    this.#lessons.failed(this.plan);
  }

  /** The event is over. Calls that still wait get the reason. */
  reject(reason: KongTsError): void {
    this.close();
    for (let at = 0; this.#waiting > 0 && at < this.#places.length; at++) this.#fetched(at)?.reject(reason);
  }

  #isClosed(row: FunctionRow): boolean {
    return this.#closed !== 0 && (this.#closed & effectsOf(row).reads) !== 0;
  }

  /** The call that waits at a position. Its answer is there from now on. */
  #fetched(at: number): PendingCall | null {
    this.#here |= 1 << at;
    const call = this.#places[at];
    if (!(call instanceof PendingCall)) return null;
    this.#places[at] = undefined;
    this.#waiting--;
    return call;
  }

  #report(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#written !== null) this.#lessons.built(this.#written);
    else if (this.#candidate !== null) this.#lessons.observed(this.#candidate, this.#seen);
    if (this.plan !== null) this.#lessons.spent(this.plan, countBits(this.#taken) - 1);
    this.#written = null;
  }
}
