import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { parseFields } from '../../model/payload.ts';
import type { Hook } from '../../model/hook.ts';
import { stateNumber, toDelivery, toRecord } from '../rows.ts';
import type { DeliveryRow, RecordRow } from '../rows.ts';
import type {
  Attempt,
  AttemptResult,
  CommitListener,
  Delivery,
  DeliveryQuery,
  DeliveryRecord,
  DeliverySearch,
  DeliveryState,
  EventQuery,
  History,
  HookStore,
  LeaseHolder,
  LeaseNames,
  NewEvent,
  PastEvent,
  Replayed,
  ReplayQuery,
  RetentionLimits,
  Rights,
  SearchPortion,
  StoreChange,
} from '../types.ts';
import { columnsOf, pairOf } from './arrays.ts';
import { Changes } from './changes.ts';
import type { Marks } from './changes.ts';
import { Database } from './database.ts';
import { ensureSchema } from './migrate.ts';
import type { Place } from './place.ts';
import * as sql from './queries.ts';
import { search } from './search.ts';
import { sentOf } from '../sent-request.ts';
import { HourTable } from '../hour-table.ts';

/** What one call of the schema's `store` comes back with. */
interface Stored {
  readonly before: Marks;
  readonly base?: number | null;
  /** Places of events from 1, in order; they have the numbers above `base`. */
  readonly stored?: readonly number[];
  /** Places of pairs of event and hook from 1. */
  readonly held?: readonly number[];
  /** Places of results from 1. */
  readonly fenced: readonly number[];
}

interface Beat {
  readonly now: number;
  readonly nodes: number;
  readonly surplus: number;
  readonly held: Readonly<Record<string, number>>;
}

const everything = Number.MAX_SAFE_INTEGER;
const storeCall = `SELECT {s}.store(${[
  'text[]',
  'text[]',
  'text[]',
  'bigint[]',
  'text[]',
  'integer[]',
  'integer[]',
  'text[]',
  'text[]',
  'text[]',
  'bigint[]',
  'text[]',
  'bigint[]',
  'bigint[]',
  'smallint[]',
  'integer[]',
  'bigint[]',
  'bigint[]',
  'integer[]',
  'double precision[]',
  'text[]',
  'text[]',
  'text[]',
  'integer[]',
]
  .map((type, at) => `$${String(at + 1)}::${type}`)
  .join(', ')}) AS result`;
/** Events that go below the floor at a time. */
const portion = 5000;

/** The store of a fleet: one PostgreSQL, which any number of processes share. */
export class PostgresStore implements HookStore {
  readonly kind = 'postgres';
  readonly durable = true;
  readonly shared = true;
  readonly folder = null;
  readonly database: Database;
  readonly changes: Changes;
  readonly #identities: number;

  private constructor(database: Database, clock: Clock, identities: number) {
    this.database = database;
    this.changes = new Changes(database, clock, randomUUID());
    this.#identities = identities;
  }

  /**
   * Connects, and makes the schema or brings it forward where the place allows that.
   * @param options.firings identities remembered for on_change and snooze, default 100,000
   * @throws KongTsError STORE_FAILED if the database cannot be used; USAGE if the driver is missing
   */
  static async open(
    place: Place,
    options: { readonly firings?: number; readonly clock?: Clock } = {},
  ): Promise<PostgresStore> {
    const database = await Database.of(place);
    try {
      await ensureSchema(database, place.migrates);
      const store = new PostgresStore(database, options.clock ?? systemClock, options.firings ?? 100_000);
      await store.changes.begin();
      return store;
    } catch (error) {
      await database.end().catch(() => undefined);
      throw error;
    }
  }

  async hooks(unreadable: (id: string, reason: string) => void = () => undefined): Promise<Hook[]> {
    const { rows } = await this.database.query('SELECT id, doc FROM {s}.hooks ORDER BY no');
    return (rows as unknown as { id: string; doc: string }[]).flatMap(({ id, doc }) => {
      const fields = parseFields(doc);
      if (fields === null) unreadable(id, 'the row holds no JSON object');
      return fields === null ? [] : [{ ...fields, id } as Hook];
    });
  }
  async saveHook(hook: Hook): Promise<void> {
    await this.#change<number>('hooks', 'SELECT {s}.save_hook($1, $2) AS result', [
      hook.id,
      JSON.stringify(hook),
    ]);
  }
  async deleteHook(id: string): Promise<boolean> {
    return (
      (await this.#change<number | null>('hooks', 'SELECT {s}.delete_hook($1) AS result', [id])) !== null
    );
  }

  async commit(
    events: readonly NewEvent[],
    results: readonly AttemptResult[],
    listener: CommitListener = {},
  ): Promise<(number | null)[]> {
    const columns = columnsOf(events, results);
    const {
      base,
      stored = [],
      held = [],
      fenced,
    } = await this.changes.own(
      async () => (await this.database.query(storeCall, columns)).rows[0]?.result as Stored,
      (result) => ({
        before: result.before,
        after: { ...result.before, seq: (result.base ?? result.before.seq) + (result.stored?.length ?? 0) },
      }),
    );
    const seqs = events.map((): number | null => null);
    for (const [at, place] of stored.entries()) seqs[place - 1] = Number(base) + at + 1;
    for (const place of held) {
      const pair = pairOf(events, place);
      if (pair !== null) listener.heldBack?.(...pair);
    }
    for (const place of fenced) {
      const result = results[place - 1];
      if (result !== undefined) listener.fenced?.(result);
    }
    if (stored.length > 0) this.changes.notify();
    return seqs;
  }

  async pending(hookId: string, afterSeq: number, limit: number, mostSize = Infinity): Promise<Delivery[]> {
    const { rows } = await this.database.query(sql.pending, [
      hookId,
      afterSeq,
      limit,
      Math.min(mostSize, everything),
    ]);
    return (rows as unknown as DeliveryRow[]).map((row) => toDelivery(hookId, row));
  }
  async takeDue(
    hookId: string,
    epoch: number,
    now: number,
    limit: number,
    mostSize = Infinity,
  ): Promise<Delivery[]> {
    const { rows } = await this.database.query('SELECT * FROM {s}.take_due($1, $2, $3, $4, $5)', [
      hookId,
      epoch,
      Math.round(now),
      limit,
      Math.min(mostSize, everything),
    ]);
    return (rows as unknown as DeliveryRow[]).map((row) => toDelivery(hookId, row));
  }
  async nextDue(hookId: string): Promise<number | null> {
    const { rows } = await this.database.query(sql.nextDue, [hookId]);
    return (rows[0]?.due ?? null) as number | null;
  }
  async unfinished(): Promise<Map<string, number>> {
    const { rows } = await this.database.query(sql.unfinished);
    return new Map((rows as unknown as { id: string; n: number }[]).map(({ id, n }) => [id, n]));
  }
  async counts(hookId: string): Promise<Record<DeliveryState, number>> {
    const { rows } = await this.database.query(sql.counts, [hookId]);
    return { ...(rows[0] as Record<DeliveryState, number>) };
  }

  async deliveries({ hookId, before, since, state, size }: DeliveryQuery): Promise<DeliveryRecord[]> {
    const { rows } = await this.database.query(sql.deliveries, [
      hookId,
      before ?? everything,
      Math.ceil(since ?? 0),
      state === undefined ? null : stateNumber[state],
      size,
    ]);
    return (rows as unknown as RecordRow[]).map((row) => toRecord(hookId, row));
  }
  async delivery(hookId: string, eventId: string): Promise<DeliveryRecord | null> {
    const { rows } = await this.database.query(sql.delivery, [hookId, eventId]);
    const row = rows[0] as unknown as RecordRow | undefined;
    if (row === undefined) return null;
    const attempts = await this.database.query(sql.attempts, [hookId, row.seq]);
    return { ...toRecord(hookId, row), history: attempts.rows.map(toAttempt) };
  }
  search(query: DeliverySearch): Promise<SearchPortion> {
    return search(this.database, query);
  }
  async recentEvents({ source, event, id, size, mostSize }: EventQuery): Promise<PastEvent[]> {
    const { rows } = await this.database.query(sql.recentEvents, [
      source,
      event ?? null,
      size,
      id ?? null,
      mostSize ?? null,
    ]);
    return rows as unknown as PastEvent[];
  }
  async history(since: number): Promise<History> {
    const table = new HourTable();
    const { rows } = await this.database.query(sql.hours, [Math.ceil(since)]);
    for (const { id, hour, what, n } of rows as unknown as {
      id: string;
      hour: number;
      what: number;
      n: number;
    }[])
      table.add(id, hour, what, n);
    const begun = await this.database.query(sql.begun);
    return { since: begun.rows[0]?.begun as number, hours: table.from(0) };
  }
  async waitingAndDead(): Promise<Map<string, { waiting: number; dead: number }>> {
    const { rows } = await this.database.query(sql.waitingAndDead);
    return new Map(
      (rows as unknown as { id: string; waiting: number; dead: number }[]).map(({ id, waiting, dead }) => [
        id,
        { waiting, dead },
      ]),
    );
  }
  async replay(query: ReplayQuery, now: number): Promise<Replayed> {
    const states = (query.states ?? ['delivered', 'dead']).map((state) => stateNumber[state]);
    const { seqs, waited } = await this.#change<Replayed & { deliveries: number | null }>(
      'deliveries',
      'SELECT {s}.replay($1, $2, $3::bigint[], $4, $5, $6, $7, $8) AS result',
      [
        query.hookId,
        query.seq ?? null,
        query.seqs ?? null,
        query.after ?? 0,
        Math.ceil(query.since ?? 0),
        states,
        query.size,
        Math.round(now),
      ],
    );
    return { seqs, waited };
  }
  async prune({ olderThan, maxEvents }: RetentionLimits): Promise<number> {
    const { rows } = await this.database.query('SELECT {s}.prune($1, $2, $3, $4) AS removed', [
      Math.ceil(olderThan),
      maxEvents,
      portion,
      this.#identities,
    ]);
    await this.database.query('SELECT {s}.drop_days($1)', [portion]);
    return rows[0]?.removed as number;
  }

  async lease(owner: string, _now: number, ttlMs: number, { roles, groups }: LeaseNames): Promise<Rights> {
    const { rows } = await this.database.beat(
      'SELECT {s}.beat($1, $2, $3::text[], $4::text[], true) AS result',
      [owner, ttlMs, roles, groups],
    );
    const { held, surplus } = rows[0]?.result as Beat;
    return { epochs: new Map(Object.entries(held)), surplus, againMs: 500 };
  }
  async release(owner: string, names?: readonly string[]): Promise<void> {
    await this.database.beat('SELECT {s}.let_go($1, $2::text[])', [owner, names ?? null]);
    await this.changes.notifyNow('rights');
  }

  async leaseHolder(): Promise<LeaseHolder | null> {
    const { rows } = await this.database.query(sql.leaseHolder);
    return (rows[0] ?? null) as LeaseHolder | null;
  }
  async size(): Promise<number> {
    const { rows } = await this.database.query(sql.size);
    return rows[0]?.size as number;
  }

  onChange(listener: (change: StoreChange) => void): () => void {
    return this.changes.listen(listener);
  }
  catchUp(): void {}
  async close(): Promise<void> {
    await this.changes.end();
    await this.database.end();
  }

  /** A change of a kind that is numbered: its result is, or holds, the number after it; null where nothing changed. */
  async #change<T>(kind: 'hooks' | 'deliveries', text: string, values: readonly unknown[]): Promise<T> {
    const numberOf = (result: unknown): number | null =>
      typeof result === 'object' && result !== null
        ? (result as { deliveries: number | null }).deliveries
        : (result as number | null);
    const result = await this.changes.own(
      async () => (await this.database.query(text, values)).rows[0]?.result as T,
      (done) => {
        const number = numberOf(done);
        return number === null
          ? { before: {}, after: {} }
          : { before: { [kind]: number - 1 }, after: { [kind]: number } };
      },
    );
    if (numberOf(result) !== null) this.changes.notify();
    return result;
  }
}

function toAttempt(row: Readonly<Record<string, unknown>>): Attempt {
  const { attempt, finished, status, latency, error, response, request } = row as unknown as {
    attempt: number;
    finished: number;
    status: number | null;
    latency: number | null;
    error: string | null;
    response: string | null;
    request: string | null;
  };
  return {
    attempt,
    finishedAt: finished,
    status,
    latencyMs: latency ?? 0,
    error,
    response,
    request: sentOf(request),
  };
}
