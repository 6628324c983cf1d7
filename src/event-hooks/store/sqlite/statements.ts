import type { DatabaseSync, StatementSync } from 'node:sqlite';

type Value = string | number | null;

/** Prepared statements by their text, kept. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
  all<T>(sql: string, ...values: Value[]): T[] {
    return this.prepare(sql).all(...values) as T[];
  }
  /** Rows until they have the size, the last one included: no more than one row beyond it is ever in memory. */
  until<T>(size: (row: T) => number, maxSize: number, sql: string, ...values: Value[]): T[] {
    const found: T[] = [];
    let sum = 0;
    for (const row of this.prepare(sql).iterate(...values) as Iterable<T>) {
      found.push(row);
      sum += size(row);
      if (sum >= maxSize) break;
    }
    return found;
  }
  get<T>(sql: string, ...values: Value[]): T | undefined {
    return this.prepare(sql).get(...values) as T | undefined;
  }
  /** @returns how many rows changed */
  run(sql: string, ...values: Value[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }
  clear(): void {
    this.#prepared.clear();
  }
}
