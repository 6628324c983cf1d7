import type { Buffer } from 'node:buffer';
import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/catalogue.ts';
import { readResult } from './answers.ts';
import { PendingCall, rejected } from './pending-call.ts';
import type { Decode } from './pending-call.ts';
import { countBits, findCall, maxPlannedCalls } from './prefetch-plan.ts';
import type { PlannedCall, PrefetchPlan } from './prefetch-plan.ts';

/** A sequence that one event asked for, and how many events asked for each of its calls. */
export interface Candidate {
  readonly calls: readonly PlannedCall[];
  readonly hits: number[];
  events: number;
}

/** Who is told what became of an event's steady calls. */
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

/**
 * The steady calls of one event: they are compared with what is known about the handler, and those of the plan, which
 * left all at once, are answered from what is on its way. Answers outlive the event; those that nobody asks for any
 * more are read and dropped.
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
  /** Bits of the plan's calls whose answer cannot be read: the error is in its place. */
  #failed = 0;
  /** Answers that have come. */
  #arrived = 0;
  /** By position: who waits for the answer, or the answer that waits. */
  readonly #places: unknown[];
  #waiting = 0;
  /** Nothing is taken any more. */
  #closed = false;
  #finished = false;

  constructor(
    lessons: PrefetchLessons,
    plan: PrefetchPlan | null,
    candidate: Candidate | null,
    writesDown: boolean,
  ) {
    this.#lessons = lessons;
    this.plan = plan;
    this.#candidate = candidate;
    this.#written = writesDown ? [] : null;
    this.#places = plan === null ? [] : new Array<unknown>(plan.calls.length);
  }

  /** True when somebody waits for one of the answers. */
  get waiting(): boolean {
    return this.#waiting > 0;
  }

  /** The first call in the order of the answers that somebody waits for. */
  get waitsFor(): FunctionRow | null {
    for (let at = this.#arrived; at < this.#places.length; at++) {
      const call = this.#places[at];
      if (call instanceof PendingCall) return call.row;
    }
    return null;
  }

  /** A steady call of the handler: its position in the plan, or -1 when it has to be asked for. */
  take(row: FunctionRow, args: readonly unknown[]): number {
    if (this.#closed) return -1;
    if (this.#written !== null) {
      if (this.#written.length < maxPlannedCalls) this.#written.push({ row, args });
    } else if (this.#candidate !== null) {
      const at = findCall(this.#candidate.calls, this.#seen, row, args);
      if (at >= 0) this.#seen |= 1 << at;
    }
    if (this.plan === null) return -1;
    const at = findCall(this.plan.calls, this.#taken, row, args);
    if (at >= 0) this.#taken |= 1 << at;
    return at;
  }

  /** The answer at a position that was taken. */
  answer(at: number, row: FunctionRow, decode: Decode | null): Promise<unknown> {
    if (at >= this.#arrived) {
      const call = new PendingCall(row, decode);
      this.#places[at] = call;
      this.#waiting++;
      return call.promise;
    }
    const value = this.#places[at];
    this.#places[at] = undefined;
    if ((this.#failed & (1 << at)) !== 0) return rejected(value);
    if (decode === null) return Promise.resolve(value);
    try {
      return Promise.resolve(decode(value));
    } catch (error) {
      return rejected(error);
    }
  }

  /** The next answer has come. It is decoded at once: that is cheaper than a copy of its bytes. */
  receive(frame: Buffer): void {
    const at = this.#arrived++;
    const call = this.#places[at];
    if (call instanceof PendingCall) {
      this.#places[at] = undefined;
      this.#waiting--;
    } else if (this.#closed || this.plan === null) return;
    const { row } = this.plan?.calls[at] as PlannedCall;
    let value: unknown;
    try {
      value = readResult(row, frame);
    } catch (error) {
      if (call instanceof PendingCall) call.reject(error);
      else {
        this.#failed |= 1 << at;
        this.#places[at] = error;
      }
      return;
    }
    if (call instanceof PendingCall) call.resolve(value);
    else this.#places[at] = value;
  }

  /** The plugin has sent something that may change the answers: those that were not asked for are not used. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#report();
  }

  /** Kong has dropped the connection in place of the next answer: when only the plan has asked for it, that was why. */
  dropped(): void {
    if (this.plan !== null && (this.#taken & (1 << this.#arrived)) === 0) this.#lessons.failed(this.plan);
  }

  /** The event is over: whoever still waits gets the reason. */
  reject(reason: KongTsError): void {
    this.close();
    for (let at = this.#arrived; this.#waiting > 0 && at < this.#places.length; at++) {
      const call = this.#places[at];
      if (!(call instanceof PendingCall)) continue;
      this.#places[at] = undefined;
      this.#waiting--;
      call.reject(reason);
    }
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
