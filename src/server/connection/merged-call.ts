import type { FunctionRow, Plural } from '../../pdk/index.ts';
import type { Asked } from './asked.ts';
import type { PendingCall } from './pending-call.ts';

/** Several calls that one call of their plural answers. */
export class MergedCall implements Asked {
  readonly row: FunctionRow;
  readonly args: readonly unknown[];
  readonly looksUp = true;
  readonly #plural: Plural;
  #calls: readonly PendingCall[];
  readonly #done: (again: readonly PendingCall[]) => void;

  /** @param done told once, with the calls that the answer does not tell: they have to be made */
  constructor(plural: Plural, calls: readonly PendingCall[], done: (again: readonly PendingCall[]) => void) {
    this.row = plural.row;
    this.args = plural.args;
    this.#plural = plural;
    this.#calls = calls;
    this.#done = done;
  }

  get waitsFor(): FunctionRow | null {
    return this.#calls[0]?.row ?? null;
  }

  get wanted(): boolean {
    return this.#calls.length > 0;
  }

  resolve(value: unknown): void {
    const calls = this.#take();
    const find = this.#plural.lookUp(value);
    const again: PendingCall[] = [];
    // From the last to the first: a call waits for those that were made before it.
    for (const call of calls.toReversed()) {
      const found = find(call.args[0] as string);
      if (found === undefined) again.unshift(call);
      else call.resolve(found);
    }
    this.#done(again);
  }

  failed(): void {
    this.#done(this.#take());
  }

  reject(reason: unknown): void {
    for (const call of this.#take()) call.reject(reason);
  }

  #take(): readonly PendingCall[] {
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }
}
