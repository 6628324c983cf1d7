import { longestWaitMs } from './pace.ts';

interface Turn {
  dueAt: number;
  /** Hash of the configuration that was looked at; null with a database. */
  hash: string | null;
  failing: boolean;
}

/** When each kind is looked at again. */
export class Schedule {
  readonly #turns = new Map<string, Turn>();
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
    const turn = this.#turns.get(schema);
    if (turn === undefined) return 0;
    const longest = turn.failing ? this.#retry(schema) : this.interval(schema);
    return turn.dueAt - now > longest ? 0 : turn.dueAt - now;
  }
  /** Whether this configuration of a DB-less node was looked at already. */
  isKnown(schema: string, hash: string | null): boolean {
    return hash !== null && this.#turns.get(schema)?.hash === hash;
  }

  looked(schema: string, now: number, hash: string | null): void {
    this.#turns.set(schema, { dueAt: now + this.interval(schema), hash, failing: false });
  }
  failed(schema: string, now: number): void {
    this.#turns.set(schema, { dueAt: now + this.#retry(schema), hash: null, failing: true });
  }
  failing(schema: string): boolean {
    return this.#turns.get(schema)?.failing ?? false;
  }
  forget(schema: string): void {
    this.#turns.delete(schema);
  }
  clear(): void {
    this.#turns.clear();
  }

  #retry(schema: string): number {
    return Math.min(longestWaitMs, this.interval(schema));
  }
}
