import { messageOf } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import type { Asked } from './asked.ts';

/**
 * The calls of one event that have not settled, in the order in which the plugin made them. Kong answers in that order, and a
 * plugin can see it: calls settle in it, however their answers have come. Each has its say before the next one settles, as it
 * has where the answers come one by one. That also holds where one answer settles several, where the answers of several come
 * in one read, and where they were there before the plugin asked.
 */
export interface AnswerOrder {
  /** A call has settled and has its say: the next one settles in a moment at the earliest. */
  releasing: boolean;
  firstUnsettled: PendingCall | null;
  lastUnsettled: PendingCall | null;
}

const ignore = () => undefined;
const settled = Promise.resolve();

/** Makes the value that a call resolves with. */
export type Decode = (value: unknown) => unknown;

/** A PDK call whose answer somebody may be waiting for. */
export class PendingCall implements Asked {
  readonly row: FunctionRow;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
  readonly #decode: Decode | null;
  readonly #order: AnswerOrder;
  #next: PendingCall | null = null;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;
  /** The same call, made while this one waits. */
  #twins: PendingCall[] | null = null;
  #state: 'waiting' | 'resolved' | 'rejected' = 'waiting';
  /** What it is resolved or rejected with, until calls before it have settled. */
  #outcome: unknown = undefined;

  /**
   * @param decode null if the result is taken as it comes
   * @param order of the calls that it settles among
   */
  constructor(row: FunctionRow, args: readonly unknown[], decode: Decode | null, order: AnswerOrder) {
    this.row = row;
    this.args = args;
    this.#decode = decode;
    this.#order = order;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (order.lastUnsettled === null) order.firstUnsettled = this;
    else order.lastUnsettled.#next = this;
    order.lastUnsettled = this;
  }

  get waitsFor(): FunctionRow {
    return this.row;
  }

  get wanted(): boolean {
    return true;
  }

  get looksUp(): boolean {
    return false;
  }

  /** True once its answer is known. */
  get answered(): boolean {
    return this.#state !== 'waiting';
  }

  /** True where the result is taken as it comes. */
  get raw(): boolean {
    return this.#decode === null;
  }

  /** Another call gets what this one gets. */
  share(twin: PendingCall): void {
    (this.#twins ??= []).push(twin);
  }

  resolve(value: unknown): void {
    // They come later in the order, and wait for this one.
    if (this.#twins !== null) for (const twin of this.#twins) twin.resolve(value);
    this.#settles('resolved', value);
  }

  failed(error: unknown): void {
    this.reject(error);
  }

  /** Rejects. A call that nobody awaits does not become an unhandled rejection. */
  reject(reason: unknown): void {
    if (this.#twins !== null) for (const twin of this.#twins) twin.reject(reason);
    this.#settles('rejected', reason);
  }

  #settles(state: 'resolved' | 'rejected', outcome: unknown): void {
    if (this.#state !== 'waiting') return;
    this.#state = state;
    this.#outcome = outcome;
    if (!this.#order.releasing) PendingCall.#release(this.#order);
  }

  /** The event is over: whatever has not settled is rejected, also where its answer is known and not yet told. */
  static rejectAll(order: AnswerOrder, reason: unknown): void {
    let call = order.firstUnsettled;
    order.firstUnsettled = order.lastUnsettled = null;
    for (; call !== null; call = call.#next) {
      call.#state = 'rejected';
      call.#outcome = reason;
      call.#settle();
    }
  }

  /**
   * Settles the first call if its answer is there, and the next ones each after what that has set going: also one whose
   * answer comes, or which is made when its answer is there, in the same moment.
   */
  static readonly #release = (order: AnswerOrder): void => {
    order.releasing = false;
    const first = order.firstUnsettled;
    if (first === null || !first.answered) return;
    order.firstUnsettled = first.#next;
    if (first.#next === null) order.lastUnsettled = null;
    first.#settle();
    order.releasing = true;
    void settled.then(() => process.nextTick(PendingCall.#release, order));
  };

  #settle(): void {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    if (this.#state === 'rejected') this.#refuse(outcome);
    else if (this.#decode === null) this.#resolve(outcome);
    else
      try {
        this.#resolve(this.#decode(outcome));
      } catch (error) {
        this.#refuse(error);
      }
  }

  #refuse(reason: unknown): void {
    this.promise.catch(ignore);
    this.#reject(reason);
  }
}

/** A promise that rejects, and that is not an unhandled rejection if nobody awaits it. */
export function rejected(reason: unknown): Promise<never> {
  const error = reason instanceof Error ? reason : new Error(messageOf(reason));
  const promise = Promise.reject<never>(error);
  promise.catch(ignore);
  return promise;
}
