import type { SteadyClock } from '../../base/clock.ts';

/** Something that ends at a time unless it is removed before. Its links belong to the `Deadlines` it is in. */
export interface Timed {
  /** Called once, when the time has come. */
  expired(): void;
  deadlineAt: number;
  deadlineList: DeadlineList | null;
  deadlinePrevious: Timed | null;
  deadlineNext: Timed | null;
}

/** Entries of one duration in the order of their deadlines. */
export interface DeadlineList {
  readonly durationMs: number;
  first: Timed | null;
  last: Timed | null;
}

/** How late a deadline may fire, in milliseconds. */
export const resolutionMs = 100;

/**
 * Deadlines for every running event without a timer for each: entries of the same duration stand in a list that is
 * sorted by itself, and one timer looks at the heads. Adding and removing cost a few assignments. The time is that
 * of the last tick, so a deadline fires up to two resolutions late and never early.
 */
export class Deadlines {
  readonly #clock: SteadyClock;
  readonly #lists = new Map<number, DeadlineList>();
  #stop: (() => void) | null = null;
  #time = 0;
  #size = 0;

  constructor(clock: SteadyClock) {
    this.#clock = clock;
  }

  /** How many entries are waiting. */
  get size(): number {
    return this.#size;
  }

  /** Adds an entry that is in no list. @param durationMs milliseconds from now */
  add(entry: Timed, durationMs: number): void {
    if (this.#stop === null) {
      this.#time = this.#clock.now();
      this.#stop = this.#clock.every(resolutionMs, () => this.#tick());
    }
    let list = this.#lists.get(durationMs);
    if (list === undefined) {
      list = { durationMs, first: null, last: null };
      this.#lists.set(durationMs, list);
    }
    entry.deadlineAt = this.#time + durationMs + resolutionMs;
    entry.deadlineList = list;
    entry.deadlinePrevious = list.last;
    entry.deadlineNext = null;
    if (list.last === null) list.first = entry;
    else list.last.deadlineNext = entry;
    list.last = entry;
    this.#size++;
  }

  /** Removes an entry; does nothing when it is in no list. */
  remove(entry: Timed): void {
    const list = entry.deadlineList;
    if (list === null) return;
    const { deadlinePrevious: previous, deadlineNext: next } = entry;
    if (previous === null) list.first = next;
    else previous.deadlineNext = next;
    if (next === null) list.last = previous;
    else next.deadlinePrevious = previous;
    entry.deadlineList = null;
    entry.deadlinePrevious = null;
    entry.deadlineNext = null;
    this.#size--;
  }

  /** Stops the timer; entries stay where they are. */
  close(): void {
    this.#stop?.();
    this.#stop = null;
  }

  #tick(): void {
    this.#time = this.#clock.now();
    for (const [duration, list] of this.#lists) {
      while (list.first !== null && list.first.deadlineAt <= this.#time) {
        const entry = list.first;
        this.remove(entry);
        entry.expired();
      }
      if (list.first === null) this.#lists.delete(duration);
    }
    if (this.#size === 0) this.close();
  }
}
