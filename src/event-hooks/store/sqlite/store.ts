import { dirname } from 'node:path';
import { systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import type { SqliteFile, Synchronous } from '../../../sqlite/index.ts';
import { parseFields } from '../../model/payload.ts';
import type { Hook } from '../../model/hook.ts';
import type {
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
  SearchPortion,
  Rights,
  StoreChange,
} from '../types.ts';
import { allOrNothing } from '../rights.ts';
import { attemptsOf, keepAttempt, keepFirstAttempt } from './attempts.ts';
import { ofOneEvent, openDatabase } from './database.ts';
import { Firings } from './firings.ts';
import { Hours } from './history.ts';
import { readHookRows } from './hook-rows.ts';
import { Lease } from './lease.ts';
import { OthersWrites } from './others.ts';
import { prune } from './prune.ts';
import { recentEvents, search, waitingAndDead } from './search.ts';
import { keepSent } from './sent.ts';
import { wholeNumber } from './columns.ts';
import { eventColumns, recordColumns } from './shown.ts';
import { stateNumber, toDelivery, toRecord, toState } from '../rows.ts';
import type { DeliveryRow, RecordRow } from '../rows.ts';

const sizeOf = ({ payload }: DeliveryRow): number => String(payload).length;
const noTime = `(due IS NULL OR ${wholeNumber('due', '-1')} < 0)`;
const joined = 'FROM deliveries d JOIN events e ON e.seq = d.seq WHERE d.hook = ?';

/** The durable store: one SQLite file in WAL mode, which several processes may have open. */
export class SqliteStore implements HookStore {
  readonly kind = 'sqlite';
  readonly durable = true;
  readonly shared = false;
  readonly folder: string;
  readonly #file: SqliteFile;
  readonly #firings: Firings;
  readonly #lease: Lease;
  readonly #others: OthersWrites;
  readonly #hours: Hours;
  /** Hook id -> its number in the file. */
  #numbers = new Map<string, number>();

  /**
   * @param options.firings identities remembered for on_change and snooze, default 100,000
   * @param options.clock says when to look for what others have written, default the system's
   * @throws KongTsError STORE_FAILED if the file cannot be opened, is not a database, or is damaged
   */
  constructor(path: string, options: { synchronous: Synchronous; firings?: number; clock?: Clock }) {
    this.folder = dirname(path);
    const file = openDatabase(path, options.synchronous);
    this.#file = file;
    this.#lease = new Lease(file);
    this.#firings = file.guard(() => new Firings(file, options.firings ?? 100_000));
    const clock = options.clock ?? systemClock;
    this.#hours = file.guard(() => new Hours(file, clock.now()));
    this.#others = new OthersWrites(file, clock);
    // A delivery whose time is invalid is due now.
    file.guard(() => file.change(`UPDATE deliveries SET due = 0 WHERE state = 1 AND ${noTime}`));
  }

  hooks(unreadable: (id: string, reason: string) => void = () => undefined): Promise<Hook[]> {
    return this.#file.run(() => {
      const hooks: Hook[] = [];
      this.#numbers = readHookRows(this.#file, (id, doc) => {
        if (typeof doc !== 'string') unreadable(id, doc.message);
        else {
          const fields = parseFields(doc);
          if (fields === null) unreadable(id, 'the row holds no JSON object');
          // The row's own id is what everything else refers to.
          else hooks.push({ ...fields, id } as Hook);
        }
      });
      return hooks;
    });
  }
  saveHook(hook: Hook): Promise<void> {
    return this.#file.run(() => {
      this.#file.atomic(() => {
        const row = this.#file.get<{ no: number }>(
          'INSERT INTO hooks (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc RETURNING no',
          hook.id,
          JSON.stringify(hook),
        );
        if (row === undefined) return;
        this.#firings.forgetHook(row.no);
        this.#numbers.set(hook.id, row.no);
      });
    });
  }
  deleteHook(id: string): Promise<boolean> {
    return this.#file.run(() =>
      this.#file.atomic(() => {
        // By its number where that is known: an id that is not text is read as one, and no text equals it.
        const row = this.#file.get<{ no: number }>(
          'DELETE FROM hooks WHERE id = ? OR no = ? RETURNING no',
          id,
          this.#numbers.get(id) ?? null,
        );
        if (row === undefined) return false;
        this.#file.change('DELETE FROM deliveries WHERE hook = ?', row.no);
        this.#file.change('DELETE FROM attempts WHERE hook = ?', row.no);
        this.#file.change('DELETE FROM sent WHERE hook = ?', row.no);
        this.#hours.forgetHook(row.no);
        this.#firings.forgetHook(row.no);
        this.#numbers.delete(id);
        return true;
      }),
    );
  }

  async commit(
    events: readonly NewEvent[],
    results: readonly AttemptResult[],
    listener: CommitListener = {},
  ): Promise<(number | null)[]> {
    const held: [number, string][] = [];
    let fenced: readonly AttemptResult[] = [];
    const seqs = await this.#file.run(() =>
      this.#file.atomic(() => {
        const numbers = events.map((event, index) =>
          ofOneEvent(index, () =>
            this.#insert(event, event.rules === undefined ? event.hooks : this.#firing(event, index, held)),
          ),
        );
        fenced = this.#record(results);
        const past = new Set(fenced);
        this.#hours.count(past.size === 0 ? results : results.filter((result) => !past.has(result)), (id) =>
          this.#number(id),
        );
        return numbers;
      }),
    );
    for (const [index, hookId] of held) listener.heldBack?.(index, hookId);
    for (const result of fenced) listener.fenced?.(result);
    return seqs;
  }

  pending(hookId: string, afterSeq: number, limit: number, mostSize = Infinity): Promise<Delivery[]> {
    return this.#forHook(hookId, [], (number) =>
      this.#file
        .until<DeliveryRow>(
          sizeOf,
          mostSize,
          `SELECT ${eventColumns} ${joined} AND d.seq > ? AND d.state = 0 ORDER BY d.seq LIMIT ?`,
          number,
          afterSeq,
          limit,
        )
        .map((row) => toDelivery(hookId, row)),
    );
  }
  takeDue(
    hookId: string,
    epoch: number,
    now: number,
    limit: number,
    mostSize = Infinity,
  ): Promise<Delivery[]> {
    return this.#forHook(hookId, [], (number) =>
      this.#file.atomic(() => {
        if (!this.#lease.isCurrent(epoch)) return [];
        const rows = this.#file.until<DeliveryRow>(
          sizeOf,
          mostSize,
          `SELECT ${eventColumns} ${joined} AND d.state = 1 AND d.due <= ? ORDER BY d.due, d.seq LIMIT ?`,
          number,
          now,
          limit,
        );
        const take = this.#file.prepare('UPDATE deliveries SET state = 0 WHERE hook = ? AND seq = ?');
        for (const row of rows) take.run(number, row.seq);
        return rows.map((row) => toDelivery(hookId, row));
      }),
    );
  }
  nextDue(hookId: string): Promise<number | null> {
    return this.#forHook(
      hookId,
      null,
      (number) =>
        this.#file.get<{ due: number | null }>(
          'SELECT min(due) AS due FROM deliveries WHERE hook = ? AND state = 1 AND due BETWEEN 0 AND 9007199254740991',
          number,
        )?.due ?? null,
    );
  }
  unfinished(): Promise<Map<string, number>> {
    return this.#file.run(() => {
      const rows = this.#file.all<{ hook: number; n: number }>(
        `SELECT ${wholeNumber('hook', '-1')} AS hook, count(*) AS n FROM deliveries WHERE ${wholeNumber('state', '3')} IN (0, 1) GROUP BY 1`,
      );
      const byNumber = new Map(rows.map(({ hook, n }) => [hook, n]));
      return new Map([...this.#numbers].map(([id, number]) => [id, byNumber.get(number) ?? 0]));
    });
  }

  counts(hookId: string): Promise<Record<DeliveryState, number>> {
    const counts = { pending: 0, waiting: 0, delivered: 0, dead: 0 };
    return this.#forHook(hookId, counts, (number) => {
      const rows = this.#file.all<{ state: number; n: number }>(
        `SELECT ${wholeNumber('state', '3')} AS state, count(*) AS n FROM deliveries WHERE hook = ? GROUP BY 1`,
        number,
      );
      for (const { state, n } of rows) counts[toState(state)] += n;
      return counts;
    });
  }

  deliveries(query: DeliveryQuery): Promise<DeliveryRecord[]> {
    return this.#forHook(query.hookId, [], (number) =>
      this.#file
        .all<RecordRow>(
          `SELECT ${recordColumns} ${joined} AND d.seq < ? AND e.at >= ? AND (? IS NULL OR d.state = ?) ORDER BY d.seq DESC LIMIT ?`,
          number,
          query.before ?? Number.MAX_SAFE_INTEGER,
          query.since ?? 0,
          query.state === undefined ? null : stateNumber[query.state],
          query.state === undefined ? null : stateNumber[query.state],
          query.size,
        )
        .map((row) => toRecord(query.hookId, row)),
    );
  }
  delivery(hookId: string, eventId: string): Promise<DeliveryRecord | null> {
    return this.#forHook(hookId, null, (number) => {
      const row = this.#file.get<RecordRow>(
        `SELECT ${recordColumns} ${joined} AND e.id = ?`,
        number,
        eventId,
      );
      if (row === undefined) return null;
      return { ...toRecord(hookId, row), history: attemptsOf(this.#file, number, row.seq) };
    });
  }
  search(query: DeliverySearch): Promise<SearchPortion> {
    return this.#file.run(() => search(this.#file, query, this.#numbers));
  }
  recentEvents(query: EventQuery): Promise<PastEvent[]> {
    return this.#file.run(() => recentEvents(this.#file, query));
  }
  history(since: number): Promise<History> {
    return this.#file.run(() => this.#hours.read(since, this.#numbers));
  }
  waitingAndDead(): Promise<Map<string, { waiting: number; dead: number }>> {
    return this.#file.run(() => waitingAndDead(this.#file, this.#numbers));
  }
  replay(query: ReplayQuery, now: number): Promise<Replayed> {
    return this.#forHook(query.hookId, { seqs: [], waited: 0 }, (number) =>
      this.#file.atomic(() => {
        const states = (query.states ?? ['delivered', 'dead']).map((state) => stateNumber[state]);
        const chosen = query.seqs === undefined ? null : JSON.stringify(query.seqs);
        const rows = this.#file.all<{ seq: number; state: number }>(
          `SELECT d.seq AS seq, d.state AS state ${joined} AND d.seq > ? AND e.at >= ? AND (? IS NULL OR d.seq = ?) AND (? IS NULL OR d.seq IN (SELECT value FROM json_each(?))) AND d.state IN (?, ?, ?) AND d.state > 0 ORDER BY d.seq LIMIT ?`,
          number,
          query.after ?? 0,
          query.since ?? 0,
          query.seq ?? null,
          query.seq ?? null,
          chosen,
          chosen,
          states[0] ?? -1,
          states[1] ?? -1,
          states[2] ?? -1,
          query.size,
        );
        const due = this.#file.prepare('UPDATE deliveries SET state = 1, due = ? WHERE hook = ? AND seq = ?');
        for (const { seq } of rows) {
          keepFirstAttempt(this.#file, number, seq);
          due.run(now, number, seq);
        }
        const waited = rows.filter(({ state }) => state === stateNumber.waiting).length;
        return { seqs: rows.map(({ seq }) => seq), waited };
      }),
    );
  }

  prune(limits: RetentionLimits): Promise<number> {
    return this.#file.run(() => prune(this.#file, limits));
  }

  lease(owner: string, now: number, ttlMs: number, _names?: LeaseNames): Promise<Rights> {
    return this.#file.run(() => allOrNothing(this.#lease.take(owner, now, ttlMs)));
  }
  release(owner: string, names?: readonly string[]): Promise<void> {
    return this.#file.run(() => {
      if (names === undefined) this.#lease.release(owner);
    });
  }
  leaseHolder(): Promise<LeaseHolder | null> {
    return this.#file.run(() => this.#lease.holder());
  }
  size(): Promise<number> {
    return this.#file.run(() => this.#file.size);
  }
  onChange(listener: (change: StoreChange) => void): () => void {
    return this.#others.listen(listener);
  }
  catchUp(): void {
    this.#others.catchUp();
  }
  /** See {@link SqliteFile.limitPages}. */
  limitPages(pages: number): void {
    this.#file.limitPages(pages);
  }
  close(): Promise<void> {
    this.#others.end();
    return this.#file.run(() => {
      this.#file.close();
    });
  }

  /**
   * The hooks that may fire by an event's rules. It notes the others. An event that is already stored fires none again.
   */
  #firing({ id, hooks, rules = [] }: NewEvent, index: number, held: [number, string][]): string[] {
    if (this.#file.get('SELECT 1 FROM events WHERE id = ?', id) !== undefined) return [];
    return hooks.filter((hook) => {
      const rule = rules.find((one) => one.hook === hook);
      const number = this.#number(hook);
      if (rule === undefined || number === undefined || this.#firings.fires(number, rule)) return true;
      held.push([index, hook]);
      return false;
    });
  }

  #insert(event: NewEvent, hooks: readonly string[]): number | null {
    if (hooks.length === 0) return null;
    const { id, source, event: name, at, payload } = event;
    const { changes, lastInsertRowid } = this.#file
      .prepare('INSERT OR IGNORE INTO events (id, source, event, at, payload) VALUES (?, ?, ?, ?, ?)')
      .run(id, source, name, at, payload);
    if (changes === 0) return null;
    const seq = Number(lastInsertRowid);
    const insert = this.#file.prepare('INSERT OR REPLACE INTO deliveries (hook, seq) VALUES (?, ?)');
    for (const hook of hooks) {
      const number = this.#number(hook);
      if (number !== undefined) insert.run(number, seq);
    }
    return seq;
  }

  /** @returns the results of an epoch that has passed. Nothing of them was written */
  #record(results: readonly AttemptResult[]): AttemptResult[] {
    const current = new Map<number, boolean>();
    return results.filter((result) => {
      const { hookId, seq, epoch, state, attempts, due, finishedAt, status, latencyMs, error, response } =
        result;
      const isCurrent = current.get(epoch) ?? this.#lease.isCurrent(epoch);
      current.set(epoch, isCurrent);
      if (!isCurrent) return true;
      const number = this.#number(hookId);
      if (number === undefined) return false;
      this.#file.change(
        'UPDATE deliveries SET state = ?, attempts = ?, due = ?, finished = ?, status = ?, latency = ?, error = ?, response = ? WHERE hook = ? AND seq = ?',
        stateNumber[state],
        attempts,
        state === 'waiting' ? due : null,
        finishedAt,
        status,
        latencyMs,
        error,
        response,
        number,
        seq,
      );
      keepAttempt(this.#file, number, result);
      keepSent(this.#file, number, result);
      return false;
    });
  }

  #number(hookId: string): number | undefined {
    return this.#numbers.get(hookId);
  }
  #forHook<T>(hookId: string, absent: T, run: (number: number) => T): Promise<T> {
    const number = this.#number(hookId);
    return number === undefined ? Promise.resolve(absent) : this.#file.run(() => run(number));
  }
}
