import type { InterestList } from '../client/interest.ts';
import type { DeliveryState } from '../store/types.ts';

/** Something to look at live: an event that fired, or an attempt that ended. */
export type Notice =
  | { type: 'event'; id: string; source: string; event: string; at: number; data: string; hooks: number }
  | {
      type: 'delivery';
      id: string;
      hook: string;
      /** The store's number of the event. */
      seq: number;
      source: string;
      event: string;
      at: number;
      state: DeliveryState;
      attempts: number;
      status: number | null;
      latencyMs: number;
      error: string | null;
    };

/** Hears of the current interest, and of each change; a promise makes the change wait for it (a short time). */
export type InterestWatcher = (interest: InterestList, version: number) => Promise<void> | void;

/** How long a change of hooks waits until connected emitters know it, in milliseconds. */
const interestTimeoutMs = 500;

/** The listeners of a dispatcher: emitters want to know which events are wanted, and people want to watch. */
export class Feed {
  readonly #watchers = new Set<InterestWatcher>();
  readonly #tails = new Set<(notice: Notice) => void>();
  #interest: InterestList = [];
  #version = 0;

  /** @returns the function that ends the watch */
  watchInterest(watcher: InterestWatcher): () => void {
    this.#watchers.add(watcher);
    void watcher(this.#interest, this.#version);
    return () => this.#watchers.delete(watcher);
  }

  /** Resolves when every emitter knows, or after half a second. */
  async setInterest(interest: InterestList): Promise<void> {
    this.#interest = interest;
    this.#version += 1;
    const told = [...this.#watchers]
      .map((watcher) => watcher(interest, this.#version))
      .filter((p) => p !== undefined);
    if (told.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.allSettled(told),
      new Promise<void>((resolve) => (timer = setTimeout(resolve, interestTimeoutMs))),
    ]);
    clearTimeout(timer);
  }

  /** Whether anybody watches. If not, no notice has to be made. */
  get watched(): boolean {
    return this.#tails.size > 0;
  }
  tail(listener: (notice: Notice) => void): () => void {
    this.#tails.add(listener);
    return () => this.#tails.delete(listener);
  }
  notify(notice: Notice): void {
    for (const listener of this.#tails) listener(notice);
  }
}
