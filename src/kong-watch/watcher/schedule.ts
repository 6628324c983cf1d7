import { longestWaitMs } from './poll-failures.ts';

interface Due {
  dueAt: number;
  /** Hash of the configuration that was polled; null with a database. */
  hash: string | null;
  failing: boolean;
}

/** When each kind is polled again. */
export class Schedule {
  readonly #due = new Map<string, Due>();
  readonly #intervalMs: number;
  readonly #intervals: Readonly<Record<string, number>>;

  constructor(intervalMs: number, intervals: Readonly<Record<string, number>>) {
    this.#intervalMs = intervalMs;
    this.#intervals = intervals;
  }

  interval(schema: string): number {
    return Object.hasOwn(this.#intervals, schema)
      ? (this.#intervals[schema] ?? this.#intervalMs)
      : this.#intervalMs;
  }

  isDue(schema: string, now: number): boolean {
    return this.wait(schema, now) <= 0;
  }
  /** Milliseconds until it is due; a clock that was set back makes no kind wait longer than it would have. */
  wait(schema: string, now: number): number {
    const due = this.#due.get(schema);
    if (due === undefined) return 0;
    const longest = due.failing ? this.#retry(schema) : this.interval(schema);
    return due.dueAt - now > longest ? 0 : due.dueAt - now;
  }
  /** Whether this configuration of a DB-less node was polled already. */
  isKnown(schema: string, hash: string | null): boolean {
    return hash !== null && this.#due.get(schema)?.hash === hash;
  }

  polled(schema: string, now: number, hash: string | null): void {
    this.#due.set(schema, { dueAt: now + this.interval(schema), hash, failing: false });
  }
  failed(schema: string, now: number): void {
    this.#due.set(schema, { dueAt: now + this.#retry(schema), hash: null, failing: true });
  }
  failing(schema: string): boolean {
    return this.#due.get(schema)?.failing ?? false;
  }
  forget(schema: string): void {
    this.#due.delete(schema);
  }
  clear(): void {
    this.#due.clear();
  }

  #retry(schema: string): number {
    return Math.min(longestWaitMs, this.interval(schema));
  }
}
