import { messageOf } from '../../errors.ts';
import type { FunctionRow } from '../../pdk/catalogue.ts';

const ignore = () => undefined;

/** A PDK call whose answer somebody may be waiting for. */
export class PendingCall {
  readonly row: FunctionRow;
  readonly promise: Promise<unknown>;
  resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;

  constructor(row: FunctionRow) {
    this.row = row;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Rejects; a call that nobody awaits is then no unhandled rejection. */
  reject(reason: unknown): void {
    this.promise.catch(ignore);
    this.#reject(reason);
  }
}

/** A promise that rejects and is no unhandled rejection when nobody awaits it. */
export function rejected(reason: unknown): Promise<never> {
  const error = reason instanceof Error ? reason : new Error(messageOf(reason));
  const promise = Promise.reject<never>(error);
  promise.catch(ignore);
  return promise;
}
