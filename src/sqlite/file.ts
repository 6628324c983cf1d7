import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { KongTsError } from '../base/errors.ts';
import { makePrivateFile } from '../unix/index.ts';
import { failure } from './failure.ts';

/** What a statement can be given. */
export type Value = string | number | null;

/** How durable a commit is: against the end of the process (`normal`), or against loss of power, too (`full`). */
export type Synchronous = 'normal' | 'full';

export interface SqliteOptions {
  /** What the file is, as it begins each error: `The event hook store`. */
  readonly name: string;
  /** What can be done with this file after any failure, beside what SQLite's word for it asks for. */
  readonly fix?: string;
  /**
   * The tables: statements that may be run on a file of every older layout. `version` is kept in the file's
   * `user_version`; a file of a newer one is refused.
   */
  readonly layout: { readonly version: number; readonly sql: string };
  readonly synchronous: Synchronous;
  /** How long a statement waits for another process's lock, blocking this one. Milliseconds. */
  readonly busyMs: number;
  /** Pages in memory. KiB; default: SQLite's own 2,000. */
  readonly cacheKiB?: number;
  /** Errors that {@link SqliteFile.guard} passes on as they are, besides KongTsError. */
  readonly passes?: (error: unknown) => boolean;
}

/**
 * One SQLite file in WAL mode, which several processes may have open. It is made for its owner alone (mode 600), its
 * statements are prepared once, and what SQLite says becomes an error that says what to do.
 */
export class SqliteFile {
  readonly path: string;
  readonly #options: SqliteOptions;
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  /**
   * Opens or makes the file.
   * @param path `:memory:` for a database that ends with its connection
   * @throws KongTsError STORE_FAILED when it cannot be opened, is not a database, is damaged or of a newer layout
   */
  constructor(path: string, options: SqliteOptions) {
    this.path = path;
    this.#options = options;
    this.#db = this.guard(() => this.#open());
  }

  /** Runs a function. An error of SQLite is thrown as KongTsError STORE_FAILED, which says what to do. */
  guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      const { name, fix, passes } = this.#options;
      if (error instanceof KongTsError || passes?.(error) === true) throw error;
      throw failure(name, this.path, error, fix);
    }
  }
  /** The same as a promise, for ports that other stores cannot answer at once. */
  async run<T>(run: () => T): Promise<T> {
    return this.guard(run);
  }

  /** Runs a function in one transaction, which takes the write lock at once. An error takes everything back. */
  atomic<T>(run: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = run();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk has ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** A statement, prepared once by its text. */
  prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.prepare(sql).all(...values) as Row[];
  }
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.prepare(sql).get(...values) as Row | undefined;
  }
  /** Rows one by one, as they are read. */
  each<Row>(sql: string, ...values: Value[]): Iterable<Row> {
    return this.prepare(sql).iterate(...values) as Iterable<Row>;
  }
  /** Rows until they have the size, the last one included: no more than one row beyond it is ever in memory. */
  until<Row>(size: (row: Row) => number, mostSize: number, sql: string, ...values: Value[]): Row[] {
    const found: Row[] = [];
    let sum = 0;
    for (const row of this.each<Row>(sql, ...values)) {
      found.push(row);
      sum += size(row);
      if (sum >= mostSize) break;
    }
    return found;
  }
  /** @returns how many rows changed */
  change(sql: string, ...values: Value[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  /** A number that changes when another connection has written to the file. Reading it costs no disk access. */
  get dataVersion(): number {
    return this.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }
  /** What the file takes, its log of writes not counted. Bytes. */
  get size(): number {
    const { page_count: pages = 0 } = this.get<{ page_count: number }>('PRAGMA page_count') ?? {};
    const { page_size: bytes = 0 } = this.get<{ page_size: number }>('PRAGMA page_size') ?? {};
    return pages * bytes;
  }
  /** Bounds the file's size, in pages of 4 KiB; beyond it, writing fails as on a full disk. */
  limitPages(pages: number): void {
    this.#db.exec(`PRAGMA max_page_count = ${String(Math.trunc(pages))}`);
  }
  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }

  #open(): DatabaseSync {
    const { path } = this;
    const { synchronous, busyMs, cacheKiB = 2000 } = this.#options;
    // SQLite gives the files beside it the mode of this one.
    if (path !== ':memory:') makePrivateFile(path, ['-wal', '-shm', '-journal']);
    const db = new DatabaseSync(path, { timeout: busyMs });
    try {
      // In WAL mode a commit is in the operating system's hands before it returns, which a killed process cannot undo.
      // NORMAL leaves the flush to disk to checkpoints: a loss of power may cost the last commits, never the file.
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous.toUpperCase()};`);
      db.exec(
        `PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = ${String(-cacheKiB)}; PRAGMA temp_store = MEMORY;`,
      );
      this.#layOut(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #layOut(db: DatabaseSync): void {
    const { version, sql } = this.#options.layout;
    const { user_version: found } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (found > version) {
      throw new KongTsError(
        'STORE_FAILED',
        `${this.path} was written by a newer kong-ts (layout ${String(found)}).`,
      );
    }
    if (found < version) db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${String(version)}; COMMIT;`);
  }
}
