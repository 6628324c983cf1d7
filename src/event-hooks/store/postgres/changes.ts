import type { Clock } from '../../../base/clock.ts';
import type { StoreChange } from '../types.ts';
import type { Database } from './database.ts';
import type { PgClient } from './driver.ts';

/** How far the store has come. Each number rises with its kind of change. */
export interface Marks {
  readonly seq: number;
  readonly hooks: number;
  readonly deliveries: number;
}

type Listener = (change: StoreChange) => void;

/** Between two looks, in milliseconds. A notification brings the next one forward. */
const everyMs = 500;
/** At most one notification in this time, in milliseconds. */
const notifyMs = 10;
const reconnectMs = 2000;

// Unlike the numbers that are given out, these are only what has been committed.
const look = `SELECT (SELECT max(seq) FROM {s}.events) AS seq,
  (SELECT number FROM {s}.changes WHERE kind = 'hooks') AS hooks,
  (SELECT number FROM {s}.changes WHERE kind = 'deliveries') AS deliveries`;

/**
 * Notices what others have written: by the marks that each of our own commits comes back with, and by a look twice a
 * second. A notification of PostgreSQL only hurries the next look, so that nothing is lost where none arrives.
 */
export class Changes {
  readonly #database: Database;
  readonly #clock: Clock;
  /** Says who a notification comes from. */
  readonly #me: string;
  readonly #listeners = new Set<Listener>();
  #known: Marks = { seq: 0, hooks: 0, deliveries: 0 };
  /** A statement has failed that may have written something all the same. */
  #inDoubt = false;
  /** Own writes that have not come back; and how many ever began. */
  #writing = 0;
  #begun = 0;
  #timer: unknown = null;
  #looking = false;
  #again = false;
  #ears: PgClient | null = null;
  #notifying = false;
  #unsaid = false;
  #ended = false;
  /** Whether notifications arrive; null: not known yet. */
  hears: boolean | null = null;

  constructor(database: Database, clock: Clock, me: string) {
    this.#database = database;
    this.#clock = clock;
    this.#me = me;
  }

  /** Learns how far the store has come. @throws KongTsError STORE_FAILED */
  async begin(): Promise<void> {
    this.#known = await this.#ask();
  }

  /** @returns the function that ends the subscription */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#arm();
    if (this.#ears === null) void this.#hear();
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Makes an own write. What comes back says how far the store was before it, and is after it. */
  async own<T>(
    write: () => Promise<T>,
    marksOf: (result: T) => { before: Partial<Marks>; after: Partial<Marks> },
  ): Promise<T> {
    this.#writing += 1;
    this.#begun += 1;
    try {
      const result = await write();
      const { before, after } = marksOf(result);
      this.#take(before, after);
      return result;
    } catch (error) {
      this.#inDoubt = true;
      throw error;
    } finally {
      this.#writing -= 1;
    }
  }

  /** Lets others look now: after a commit, by a statement of its own, without waiting for it. */
  notify(): void {
    this.#unsaid = true;
    if (this.#notifying || this.#ended) return;
    this.#notifying = true;
    this.#clock.setTimeout(() => {
      this.#unsaid = false;
      void this.notifyNow('data').then(() => {
        this.#notifying = false;
        if (this.#unsaid) this.notify();
      });
    }, notifyMs);
  }
  /** Never rejects. */
  async notifyNow(what: 'data' | 'rights'): Promise<void> {
    await this.#database
      .query('SELECT pg_notify($1, $2)', [this.#channel, `${this.#me} ${what}`])
      .catch(() => undefined);
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#listeners.clear();
    this.#clock.clearTimeout(this.#timer);
    await this.#ears?.end().catch(() => undefined);
  }

  get #channel(): string {
    return this.#database.place.schema;
  }

  #take(before: Partial<Marks>, after: Partial<Marks>): void {
    const known = this.#known;
    const change: StoreChange = {
      hooks: this.#inDoubt || (before.hooks ?? 0) > known.hooks,
      deliveries:
        this.#inDoubt || (before.seq ?? 0) > known.seq || (before.deliveries ?? 0) > known.deliveries,
      rights: false,
    };
    this.#inDoubt = false;
    this.#known = {
      seq: Math.max(known.seq, after.seq ?? 0),
      hooks: Math.max(known.hooks, after.hooks ?? 0),
      deliveries: Math.max(known.deliveries, after.deliveries ?? 0),
    };
    if (change.hooks || change.deliveries) this.#tell(change);
  }

  #tell(change: StoreChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  #arm(): void {
    if (this.#ended || this.#timer !== null) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#look();
      if (this.#listeners.size > 0) this.#arm();
    }, everyMs);
  }

  #look(): void {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    const begun = this.#begun;
    const wrote = this.#writing > 0;
    this.#ask()
      .then(
        (marks) => {
          // An own write of the meantime may be in it. Its own marks say better what others have written.
          if (!wrote && begun === this.#begun && !this.#ended) this.#take(marks, marks);
          else this.#again = !wrote;
        },
        () => {
          this.#inDoubt = true;
        },
      )
      .finally(() => {
        this.#looking = false;
        if (!this.#again || this.#ended) return;
        this.#again = false;
        this.#look();
      });
  }

  async #ask(): Promise<Marks> {
    const { rows } = await this.#database.beat(look);
    const { seq, hooks, deliveries } = rows[0] as unknown as Marks;
    return { seq: seq ?? 0, hooks: hooks ?? 0, deliveries: deliveries ?? 0 };
  }

  /** Listens with a connection of its own, and says a word to itself: through some poolers nothing ever arrives. */
  async #hear(): Promise<void> {
    const client = this.#database.client();
    this.#ears = client;
    const again = (): void => {
      if (this.#ears !== client) return;
      this.#ears = null;
      this.hears = null;
      void client.end().catch(() => undefined);
      this.#clock.setTimeout(() => {
        if (!this.#ended && this.#listeners.size > 0) void this.#hear();
      }, reconnectMs);
    };
    client.on('error', again);
    client.on('end', again);
    client.on('notification', ({ payload = '' }) => {
      this.#heard(payload);
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${this.#channel}`);
      await client.query('SELECT pg_notify($1, $2)', [this.#channel, `${this.#me} hello`]);
      this.hears ??= false;
      // Whatever was said while nobody listened.
      this.#look();
    } catch {
      again();
    }
  }

  #heard(payload: string): void {
    const [from, what = ''] = payload.split(' ');
    if (from === this.#me) {
      this.hears = true;
      return;
    }
    if (what === 'data') this.#look();
    if (what === 'rights') this.#tell({ hooks: false, deliveries: false, rights: true });
  }
}
