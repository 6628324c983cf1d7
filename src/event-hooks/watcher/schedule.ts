interface Turn {
  dueAt: number;
  /** Hash of the configuration that was looked at; null with a database. */
  hash: string | null;
  /** Failures in a row. */
  failures: number;
}

const longestRetryMs = 60_000;

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
    const longest = turn.failures > 0 ? this.#retry(schema, turn.failures) : this.interval(schema);
    return turn.dueAt - now > longest ? 0 : turn.dueAt - now;
  }
  /** Whether this configuration of a DB-less node was looked at already. */
  isKnown(schema: string, hash: string | null): boolean {
    return hash !== null && this.#turns.get(schema)?.hash === hash;
  }

  looked(schema: string, now: number, hash: string | null): void {
    this.#turns.set(schema, { dueAt: now + this.interval(schema), hash, failures: 0 });
  }
  failed(schema: string, now: number): void {
    const failures = (this.#turns.get(schema)?.failures ?? 0) + 1;
    this.#turns.set(schema, { dueAt: now + this.#retry(schema, failures), hash: null, failures });
  }
  failing(schema: string): boolean {
    return (this.#turns.get(schema)?.failures ?? 0) > 0;
  }
  forget(schema: string): void {
    this.#turns.delete(schema);
  }
  clear(): void {
    this.#turns.clear();
  }

  #retry(schema: string, failures: number): number {
    const interval = this.interval(schema);
    return Math.max(interval, Math.min(longestRetryMs, interval * 2 ** Math.min(failures, 10)));
  }
}
