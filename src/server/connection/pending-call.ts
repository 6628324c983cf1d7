import { messageOf } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/catalogue.ts';

const ignore = () => undefined;

/** Makes the value that a call resolves with. */
export type Decode = (value: unknown) => unknown;

/** A PDK call whose answer somebody may be waiting for. */
export class PendingCall {
  readonly row: FunctionRow;
  readonly promise: Promise<unknown>;
  readonly #decode: Decode | null;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;

  /** @param decode null where the result is taken as it comes */
  constructor(row: FunctionRow, decode: Decode | null) {
    this.row = row;
    this.#decode = decode;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(value: unknown): void {
    if (this.#decode === null) {
      this.#resolve(value);
      return;
    }
    try {
      this.#resolve(this.#decode(value));
    } catch (error) {
      this.reject(error);
    }
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
