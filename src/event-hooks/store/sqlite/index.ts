import { dirname } from 'node:path';
import { hostname } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import { parseFields } from '../../model/payload.ts';
import type { Hook } from '../../model/hook.ts';
import type {
  AttemptResult,
  Delivery,
  DeliveryQuery,
  DeliveryRecord,
  DeliveryState,
  HookStore,
  NewEvent,
  ReplayQuery,
  RetentionLimits,
} from '../types.ts';
import { attemptsOf, keepAttempt, keepFirstAttempt } from './attempts.ts';
import { guarded, ofOneEvent, openDatabase, transaction } from './database.ts';
import type { Synchronous } from './database.ts';
import { Firings } from './firings.ts';
import { readHookRows } from './hook-rows.ts';
import { anyNumber, asText, wholeNumber } from './columns.ts';
import { stateNumber, toDelivery, toRecord, toState } from './rows.ts';
import type { DeliveryRow, RecordRow } from './rows.ts';
import { Statements } from './statements.ts';

const pruneAtOnce = 2000;
const eventColumns = [
  'e.seq',
  ...['id', 'source', 'event', 'payload'].map((name) => `${asText(`e.${name}`)} AS ${name}`),
  `${wholeNumber('e.at')} AS at`,
  `${wholeNumber('d.attempts')} AS attempts`,
].join(', ');
const recordColumns = [
  eventColumns,
  `${wholeNumber('d.state', '3')} AS state`,
  ...['due', 'finished', 'status'].map((name) => `${wholeNumber(`d.${name}`, 'NULL')} AS ${name}`),
  `${anyNumber('d.latency')} AS latency`,
  ...['error', 'response'].map((name) => `${asText(`d.${name}`)} AS ${name}`),
].join(', ');
const sizeOf = ({ payload }: DeliveryRow): number => String(payload).length;
const noTime = `(due IS NULL OR ${wholeNumber('due', '-1')} < 0)`;
const joined = 'FROM deliveries d JOIN events e ON e.seq = d.seq WHERE d.hook = ?';

/** The durable store: one SQLite file in WAL mode, which several processes may have open. */
export class SqliteStore implements HookStore {
  readonly kind = 'sqlite';
  readonly durable = true;
  readonly folder: string;
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #firings: Firings;
  /** Hook id -> its number in the file. */
  #numbers = new Map<string, number>();
  #dataVersion: number;

  /**
   * @param options.firings identities remembered for on_change and snooze, default 100,000
   * @throws KongTsError STORE_FAILED when the file cannot be opened, is no database, or is damaged
   */
  constructor(file: string, options: { synchronous: Synchronous; firings?: number }) {
    this.#file = file;
    this.folder = dirname(file);
    this.#db = openDatabase(file, options.synchronous);
    this.#statements = new Statements(this.#db);
    this.#firings = guarded(file, () => new Firings(this.#statements, options.firings ?? 100_000));
    this.#dataVersion = this.#readDataVersion();
    // What waits for a time that is none is due now.
    guarded(file, () => this.#statements.run(`UPDATE deliveries SET due = 0 WHERE state = 1 AND ${noTime}`));
  }

  hooks(unreadable: (id: string, reason: string) => void = () => undefined): Promise<Hook[]> {
    return this.#run(() => {
      const hooks: Hook[] = [];
      this.#numbers = readHookRows(this.#statements, (id, doc) => {
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
    return this.#run(() => {
      transaction(this.#db, () => {
        const row = this.#get<{ no: number }>(
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
    return this.#run(() =>
      transaction(this.#db, () => {
        const row = this.#get<{ no: number }>('DELETE FROM hooks WHERE id = ? RETURNING no', id);
        if (row === undefined) return false;
        this.#statements.run('DELETE FROM deliveries WHERE hook = ?', row.no);
        this.#statements.run('DELETE FROM attempts WHERE hook = ?', row.no);
        this.#firings.forgetHook(row.no);
        this.#numbers.delete(id);
        return true;
      }),
    );
  }

  async commit(
    events: readonly NewEvent[],
    results: readonly AttemptResult[],
    heldBack?: (index: number, hookId: string) => void,
  ): Promise<(number | null)[]> {
    const held: [number, string][] = [];
    const seqs = await this.#run(() =>
      transaction(this.#db, () => {
        const numbers = events.map((event, index) =>
          ofOneEvent(index, () =>
            this.#insert(event, event.rules === undefined ? event.hooks : this.#firing(event, index, held)),
          ),
        );
        const update = this.#prepare(
          'UPDATE deliveries SET state = ?, attempts = ?, due = ?, finished = ?, status = ?, latency = ?, error = ?, response = ? WHERE hook = ? AND seq = ?',
        );
        for (const result of results) {
          const number = this.#number(result.hookId);
          if (number === undefined) continue;
          const { state, attempts, due, finishedAt, status, latencyMs, error, response, seq } = result;
          const wait = state === 'waiting' ? due : null;
          update.run(
            stateNumber[state],
            attempts,
            wait,
            finishedAt,
            status,
            latencyMs,
            error,
            response,
            number,
            seq,
          );
          keepAttempt(this.#statements, number, result);
        }
        return numbers;
      }),
    );
    for (const [index, hookId] of held) heldBack?.(index, hookId);
    return seqs;
  }

  pending(hookId: string, afterSeq: number, limit: number, maxSize = Infinity): Promise<Delivery[]> {
    return this.#forHook(hookId, [], (number) =>
      this.#statements
        .until<DeliveryRow>(
          sizeOf,
          maxSize,
          `SELECT ${eventColumns} ${joined} AND d.seq > ? AND d.state = 0 ORDER BY d.seq LIMIT ?`,
          number,
          afterSeq,
          limit,
        )
        .map((row) => toDelivery(hookId, row)),
    );
  }
  takeDue(hookId: string, now: number, limit: number, maxSize = Infinity): Promise<Delivery[]> {
    return this.#forHook(hookId, [], (number) =>
      transaction(this.#db, () => {
        const rows = this.#statements.until<DeliveryRow>(
          sizeOf,
          maxSize,
          `SELECT ${eventColumns} ${joined} AND d.state = 1 AND d.due <= ? ORDER BY d.due, d.seq LIMIT ?`,
          number,
          now,
          limit,
        );
        const take = this.#prepare('UPDATE deliveries SET state = 0 WHERE hook = ? AND seq = ?');
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
        this.#get<{ due: number | null }>(
          'SELECT min(due) AS due FROM deliveries WHERE hook = ? AND state = 1 AND due BETWEEN 0 AND 9007199254740991',
          number,
        )?.due ?? null,
    );
  }
  counts(hookId: string): Promise<Record<DeliveryState, number>> {
    const counts = { pending: 0, waiting: 0, delivered: 0, dead: 0 };
    return this.#forHook(hookId, counts, (number) => {
      const rows = this.#all<{ state: number; n: number }>(
        `SELECT ${wholeNumber('state', '3')} AS state, count(*) AS n FROM deliveries WHERE hook = ? GROUP BY 1`,
        number,
      );
      for (const { state, n } of rows) counts[toState(state)] += n;
      return counts;
    });
  }

  deliveries(query: DeliveryQuery): Promise<DeliveryRecord[]> {
    return this.#forHook(query.hookId, [], (number) =>
      this.#all<RecordRow>(
        `SELECT ${recordColumns} ${joined} AND d.seq < ? AND e.at >= ? AND (? IS NULL OR d.state = ?) ORDER BY d.seq DESC LIMIT ?`,
        number,
        query.before ?? Number.MAX_SAFE_INTEGER,
        query.since ?? 0,
        query.state === undefined ? null : stateNumber[query.state],
        query.state === undefined ? null : stateNumber[query.state],
        query.size,
      ).map((row) => toRecord(query.hookId, row)),
    );
  }
  delivery(hookId: string, eventId: string): Promise<DeliveryRecord | null> {
    return this.#forHook(hookId, null, (number) => {
      const row = this.#get<RecordRow>(`SELECT ${recordColumns} ${joined} AND e.id = ?`, number, eventId);
      if (row === undefined) return null;
      return { ...toRecord(hookId, row), history: attemptsOf(this.#statements, number, row.seq) };
    });
  }
  replay(query: ReplayQuery, now: number): Promise<number[]> {
    return this.#forHook(query.hookId, [], (number) =>
      transaction(this.#db, () => {
        const states = (query.states ?? ['delivered', 'dead']).map((state) => stateNumber[state]);
        const rows = this.#all<{ seq: number }>(
          `SELECT d.seq AS seq ${joined} AND d.seq > ? AND e.at >= ? AND (? IS NULL OR d.seq = ?) AND d.state IN (?, ?, ?) AND d.state > 0 ORDER BY d.seq LIMIT ?`,
          number,
          query.after ?? 0,
          query.since ?? 0,
          query.seq ?? null,
          query.seq ?? null,
          states[0] ?? -1,
          states[1] ?? -1,
          states[2] ?? -1,
          query.size,
        );
        const update = this.#prepare('UPDATE deliveries SET state = 1, due = ? WHERE hook = ? AND seq = ?');
        for (const { seq } of rows) {
          keepFirstAttempt(this.#statements, number, seq);
          update.run(now, number, seq);
        }
        return rows.map(({ seq }) => seq);
      }),
    );
  }

  prune(limits: RetentionLimits): Promise<number> {
    return this.#run(() => {
      const last =
        this.#get<{ seq: number | null }>('SELECT max(seq) AS seq FROM events WHERE seq <= 9007199254740991')
          ?.seq ?? 0;
      const young = this.#get<{ seq: number }>(
        'SELECT seq FROM events WHERE at BETWEEN ? AND 9007199254740991 ORDER BY seq LIMIT 1',
        limits.olderThan,
      );
      // The last event stays, so that its number is never given out again.
      const floor = Math.min(last, Math.max(last - limits.maxEvents + 1, young?.seq ?? last));
      return transaction(this.#db, () => {
        for (const { no } of this.#all<{ no: number }>('SELECT no FROM hooks')) {
          for (const table of ['attempts', 'deliveries']) {
            this.#statements.run(
              `DELETE FROM ${table} WHERE hook = ? AND seq IN (SELECT seq FROM deliveries WHERE hook = ? AND seq < ? AND state >= 2 ORDER BY seq LIMIT ?)`,
              no,
              no,
              floor,
              pruneAtOnce,
            );
          }
        }
        // CROSS JOIN: hooks first, then a look-up by key; the other way round every event would read all deliveries.
        const { changes } = this.#prepare(
          'DELETE FROM events WHERE seq IN (SELECT seq FROM events e WHERE seq < ? AND NOT EXISTS (SELECT 1 FROM hooks h CROSS JOIN deliveries d ON d.hook = h.no AND d.seq = e.seq) LIMIT ?)',
        ).run(floor, pruneAtOnce);
        return Number(changes);
      });
    });
  }

  lease(owner: string, now: number, ttlMs: number): Promise<boolean> {
    return this.#run(() => {
      // A time that no holder can have asked for is nobody's right.
      const longest = now + Math.max(3_600_000, 10 * ttlMs);
      const sql = `SELECT ${asText('owner')} AS owner, ${asText('host')} AS host, ${wholeNumber('pid')} AS pid, ${wholeNumber('until')} AS until FROM lease`;
      const free = (): boolean => {
        const held = this.#get<{ owner: string; host: string; pid: number; until: number }>(sql);
        return (
          held === undefined ||
          held.owner === owner ||
          held.until <= now ||
          held.until > longest ||
          (held.host === hostname() && !alive(held.pid))
        );
      };
      // Looked at first without the write lock: who waits disturbs nobody.
      if (!free()) return false;
      return transaction(this.#db, () => {
        if (!free()) return false;
        this.#prepare(
          'INSERT OR REPLACE INTO lease (one, owner, host, pid, until) VALUES (1, ?, ?, ?, ?)',
        ).run(owner, hostname(), process.pid, now + ttlMs);
        return true;
      });
    });
  }
  release(owner: string): Promise<void> {
    return this.#run(() => {
      this.#prepare('DELETE FROM lease WHERE owner = ?').run(owner);
    });
  }
  changedElsewhere(): Promise<boolean> {
    return this.#run(() => {
      const before = this.#dataVersion;
      this.#dataVersion = this.#readDataVersion();
      return before !== this.#dataVersion;
    });
  }
  /** Bounds the file's size, in pages of 4 KiB; beyond it, writing fails as on a full disk. */
  limitPages(pages: number): void {
    this.#db.exec(`PRAGMA max_page_count = ${String(Math.trunc(pages))}`);
  }
  close(): Promise<void> {
    return this.#run(() => {
      this.#statements.clear();
      this.#db.close();
    });
  }

  /** The hooks that an event's rules let fire; notes the others. An event that is stored already fires none again. */
  #firing({ id, hooks, rules = [] }: NewEvent, index: number, held: [number, string][]): string[] {
    if (this.#get('SELECT 1 FROM events WHERE id = ?', id) !== undefined) return [];
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
    const { changes, lastInsertRowid } = this.#prepare(
      'INSERT OR IGNORE INTO events (id, source, event, at, payload) VALUES (?, ?, ?, ?, ?)',
    ).run(id, source, name, at, payload);
    if (changes === 0) return null;
    const seq = Number(lastInsertRowid);
    const insert = this.#prepare('INSERT OR REPLACE INTO deliveries (hook, seq) VALUES (?, ?)');
    for (const hook of hooks) {
      const number = this.#number(hook);
      if (number !== undefined) insert.run(number, seq);
    }
    return seq;
  }

  #number(hookId: string): number | undefined {
    return this.#numbers.get(hookId);
  }
  #forHook<T>(hookId: string, absent: T, run: (number: number) => T): Promise<T> {
    const number = this.#number(hookId);
    return number === undefined ? Promise.resolve(absent) : this.#run(() => run(number));
  }
  async #run<T>(run: () => T): Promise<T> {
    return guarded(this.#file, run);
  }
  #prepare(sql: string): ReturnType<Statements['prepare']> {
    return this.#statements.prepare(sql);
  }
  #all<T>(sql: string, ...values: (string | number | null)[]): T[] {
    return this.#statements.all<T>(sql, ...values);
  }
  #get<T>(sql: string, ...values: (string | number | null)[]): T | undefined {
    return this.#statements.get<T>(sql, ...values);
  }
  #readDataVersion(): number {
    return this.#get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
