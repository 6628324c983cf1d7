import { loadDriver, types } from './driver.ts';
import type { PgClient, PgDriver, PgPool, Result } from './driver.ts';
import { storeError } from './errors.ts';
import type { Place } from './place.ts';

/** How many connections a process has: for its work, and one for its beat, which must never wait for the others. */
export const poolSize = 4;
const workMs = 10_000;
const beatMs = 2000;

/** The connections to one database. A statement is a transaction: none is open while nothing is asked. */
export class Database {
  readonly place: Place;
  readonly #driver: PgDriver;
  readonly #work: PgPool;
  readonly #beat: PgPool;
  #ended: Promise<void> | null = null;

  private constructor(driver: PgDriver, place: Place) {
    this.place = place;
    this.#driver = driver;
    this.#work = this.#pool(poolSize, workMs);
    this.#beat = this.#pool(1, beatMs);
  }

  /** Connects to nothing yet. @throws KongTsError USAGE where the driver is missing */
  static async of(place: Place): Promise<Database> {
    return new Database(await loadDriver(), place);
  }

  /** @throws KongTsError STORE_FAILED */
  query(text: string, values: readonly unknown[] = []): Promise<Result> {
    return this.#ask(this.#work, text, values);
  }
  /** The same with a connection that long work does not take. @throws KongTsError STORE_FAILED */
  beat(text: string, values: readonly unknown[] = []): Promise<Result> {
    return this.#ask(this.#beat, text, values);
  }

  /** A connection of its own, not open yet. */
  client(): PgClient {
    return new this.#driver.Client(this.#options(workMs));
  }

  /** How many connections for work there are, are idle, and how many statements wait for one. */
  get use(): { readonly open: number; readonly idle: number; readonly waiting: number } {
    const { totalCount: open, idleCount: idle, waitingCount: waiting } = this.#work;
    return { open, idle, waiting };
  }

  end(): Promise<void> {
    return (this.#ended ??= Promise.all([this.#work.end(), this.#beat.end()]).then(() => undefined));
  }

  async #ask(pool: PgPool, text: string, values: readonly unknown[]): Promise<Result> {
    const sql = text.replaceAll('{s}', this.place.schema);
    try {
      return await pool.query(sql, values);
    } catch (error) {
      throw storeError(this.place, error);
    }
  }

  #pool(max: number, timeoutMs: number): PgPool {
    const pool = new this.#driver.Pool({ ...this.#options(timeoutMs), max, idleTimeoutMillis: 60_000 });
    // An idle connection has ended. The next statement has another one, or says why not.
    pool.on('error', () => undefined);
    return pool;
  }

  #options(timeoutMs: number): object {
    const { host, port, database, user, password, ssl } = this.place;
    return {
      host,
      port,
      database,
      ssl,
      types,
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      application_name: 'kong-ts',
      connectionTimeoutMillis: timeoutMs / 2,
      query_timeout: timeoutMs,
      keepAlive: true,
      // Keeps no process alive that has nothing else to do.
      allowExitOnIdle: true,
    };
  }
}
