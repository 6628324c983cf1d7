import { KongTsError } from '../../base/errors.ts';
import type { Hook } from '../model/hook.ts';
import { HourTable } from './hour-table.ts';
import { hourOf, risesOf } from './hours.ts';
import { searchIn } from './memory-search.ts';
import type { Looked } from './memory-search.ts';
import { deliveryOverhead, eventOverhead, shortError, sizeOf, toDelivery, toRecord } from './memory-rows.ts';
import type { Row, StoredEvent } from './memory-rows.ts';
import { allOrNothing } from './rights.ts';
import { Suppression } from './suppression.ts';
import { attemptsKept } from './types.ts';
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
  SearchPortion,
  Rights,
  StoreChange,
} from './types.ts';

export interface MemoryLimits {
  /** What events and deliveries may take, in bytes. Default 256 MiB. */
  bytes?: number;
  /** Identities remembered for on_change and snooze. Default 100,000. */
  firings?: number;
}

/**
 * A store without a file: hooks and deliveries end with the process. When it is full, the oldest finished deliveries
 * go. If none is finished, it refuses events.
 */
export class MemoryStore implements HookStore {
  readonly kind = 'memory';
  readonly durable = false;
  readonly shared = false;
  readonly folder = null;
  readonly #hooks = new Map<string, Hook>();
  readonly #ids = new Map<string, StoredEvent>();
  /** Per hook: event number -> delivery, in rising order of event numbers. */
  readonly #rows = new Map<string, Map<number, Row>>();
  readonly #waiting = new Map<string, Set<number>>();
  readonly #maxBytes: number;
  readonly #suppression: Suppression;
  readonly #hours = new HourTable();
  /** When counting began. */
  readonly #since = Date.now();
  #seq = 0;
  #bytes = 0;
  #lease: { owner: string | null; epoch: number; until: number } = { owner: null, epoch: 0, until: 0 };

  constructor(limits: MemoryLimits = {}) {
    this.#maxBytes = limits.bytes ?? 256 * 1024 * 1024;
    this.#suppression = new Suppression(limits.firings ?? 100_000);
  }

  async hooks(): Promise<Hook[]> {
    return [...this.#hooks.values()].map((hook) => structuredClone(hook));
  }
  async saveHook(hook: Hook): Promise<void> {
    this.#hooks.set(hook.id, structuredClone(hook));
    this.#suppression.forgetHook(hook.id);
  }
  async deleteHook(id: string): Promise<boolean> {
    const rows = this.#rows.get(id);
    for (const row of rows?.values() ?? []) this.#drop(rows, row);
    this.#rows.delete(id);
    this.#waiting.delete(id);
    this.#suppression.forgetHook(id);
    this.#hours.drop(({ hookId }) => hookId === id);
    return this.#hooks.delete(id);
  }

  async commit(
    events: readonly NewEvent[],
    results: readonly AttemptResult[],
    listener: CommitListener = {},
  ): Promise<(number | null)[]> {
    this.#makeRoom(events);
    const seqs = events.map((event, index) => {
      if (this.#ids.has(event.id)) return null;
      const { hooks, rules = [], ...rest } = event;
      const firing = hooks.filter((hook) => {
        const rule = rules.find((one) => one.hook === hook);
        if (rule === undefined || this.#suppression.fires(rule)) return true;
        listener.heldBack?.(index, hook);
        return false;
      });
      if (firing.length === 0) return null;
      const stored: StoredEvent = { ...rest, seq: ++this.#seq, references: firing.length };
      this.#ids.set(event.id, stored);
      this.#bytes += stored.payload.length + eventOverhead;
      for (const hook of firing) {
        let rows = this.#rows.get(hook);
        if (rows === undefined) this.#rows.set(hook, (rows = new Map<number, Row>()));
        rows.set(stored.seq, {
          event: stored,
          state: 'pending',
          result: null,
          history: [],
          size: deliveryOverhead,
        });
        this.#bytes += deliveryOverhead;
      }
      return stored.seq;
    });
    const stored: AttemptResult[] = [];
    for (const result of results) {
      if (result.epoch !== this.#lease.epoch) {
        listener.fenced?.(result);
        continue;
      }
      const row = this.#rows.get(result.hookId)?.get(result.seq);
      if (row === undefined) continue;
      row.state = result.state;
      this.#keep(row, result);
      stored.push(result);
      if (result.state === 'waiting') this.#wait(result.hookId, result.seq);
    }
    for (const { hookId, hour, what, by } of risesOf(stored)) this.#hours.add(hookId, hour, what, by);
    return seqs;
  }

  async pending(hookId: string, afterSeq: number, limit: number, mostSize = Infinity): Promise<Delivery[]> {
    const found: Delivery[] = [];
    let size = 0;
    for (const [seq, row] of this.#rows.get(hookId) ?? []) {
      if (found.length >= limit || size >= mostSize) break;
      if (seq <= afterSeq || row.state !== 'pending') continue;
      found.push(toDelivery(hookId, row));
      size += row.event.payload.length;
    }
    return found;
  }
  async takeDue(
    hookId: string,
    epoch: number,
    now: number,
    limit: number,
    mostSize = Infinity,
  ): Promise<Delivery[]> {
    if (epoch !== this.#lease.epoch) return [];
    let size = 0;
    const waiting = this.#waiting.get(hookId) ?? new Set<number>();
    const rows = this.#rows.get(hookId);
    const due = [...waiting]
      .map((seq) => rows?.get(seq))
      .filter((row): row is Row => row?.result != null && row.result.due <= now)
      .sort((a, b) => (a.result?.due ?? 0) - (b.result?.due ?? 0) || a.event.seq - b.event.seq)
      .slice(0, limit)
      .filter((row) => (size += row.event.payload.length) - row.event.payload.length < mostSize);
    for (const row of due) {
      row.state = 'pending';
      waiting.delete(row.event.seq);
    }
    return due.map((row) => toDelivery(hookId, row));
  }
  async nextDue(hookId: string): Promise<number | null> {
    let next: number | null = null;
    for (const seq of this.#waiting.get(hookId) ?? []) {
      const due = this.#rows.get(hookId)?.get(seq)?.result?.due;
      if (due !== undefined && (next === null || due < next)) next = due;
    }
    return next;
  }
  async unfinished(): Promise<Map<string, number>> {
    const isUnfinished = ({ state }: { state: DeliveryState }): boolean =>
      state === 'pending' || state === 'waiting';
    const rows = [...this.#rows].map(
      ([id, byHook]) => [id, [...byHook.values()].filter(isUnfinished).length] as const,
    );
    return new Map(rows);
  }

  async counts(hookId: string): Promise<Record<DeliveryState, number>> {
    const counts = { pending: 0, waiting: 0, delivered: 0, dead: 0 };
    for (const row of this.#rows.get(hookId)?.values() ?? []) counts[row.state] += 1;
    return counts;
  }

  async deliveries(query: DeliveryQuery): Promise<DeliveryRecord[]> {
    const found: DeliveryRecord[] = [];
    for (const [seq, row] of this.#rows.get(query.hookId) ?? []) {
      if (query.before !== undefined && seq >= query.before) continue;
      if (query.state !== undefined && row.state !== query.state) continue;
      if (query.since !== undefined && row.event.at < query.since) continue;
      found.push(toRecord(query.hookId, row));
    }
    return found.sort((a, b) => b.seq - a.seq).slice(0, query.size);
  }
  async delivery(hookId: string, eventId: string): Promise<DeliveryRecord | null> {
    const seq = this.#ids.get(eventId)?.seq;
    const row = seq === undefined ? undefined : this.#rows.get(hookId)?.get(seq);
    return row === undefined ? null : { ...toRecord(hookId, row), history: [...row.history] };
  }
  async search(query: DeliverySearch): Promise<SearchPortion> {
    const { hookId } = query;
    const hooks = hookId === null ? [...this.#rows.keys()] : [hookId];
    const among = hooks.flatMap((id) =>
      [...(this.#rows.get(id) ?? [])]
        .filter(([, { state }]) => hookId !== null || state === 'dead')
        .map(([seq, row]): Looked => ({ seq, hookId: id, record: () => toRecord(id, row) })),
    );
    return searchIn(among, query);
  }
  async recentEvents({ source, event, id, size, mostSize = Infinity }: EventQuery): Promise<PastEvent[]> {
    let sum = 0;
    const among =
      id === undefined ? [...this.#ids.values()] : [this.#ids.get(id)].filter((one) => one !== undefined);
    return among
      .filter((one) => one.source === source && (event === undefined || one.event === event))
      .sort((a, b) => b.seq - a.seq)
      .slice(0, size)
      .filter(({ payload }) => (sum += payload.length) - payload.length < mostSize)
      .map(({ id, source, event, at, payload }) => ({ id, source, event, at, payload }));
  }
  async history(since: number): Promise<History> {
    return { since: this.#since, hours: this.#hours.from(since) };
  }
  async waitingAndDead(): Promise<Map<string, { waiting: number; dead: number }>> {
    const counts = await Promise.all(
      [...this.#hooks.keys()].map(async (id) => [id, await this.counts(id)] as const),
    );
    return new Map(counts.map(([id, { waiting, dead }]) => [id, { waiting, dead }]));
  }
  async replay(query: ReplayQuery, now: number): Promise<Replayed> {
    const states: readonly DeliveryState[] = query.states ?? ['delivered', 'dead'];
    const seqs: number[] = [];
    let waited = 0;
    const wanted = new Set(query.seqs);
    for (const [seq, row] of this.#rows.get(query.hookId) ?? []) {
      if (seqs.length >= query.size) break;
      if (query.seq !== undefined && seq !== query.seq) continue;
      if (query.seqs !== undefined && !wanted.has(seq)) continue;
      if (query.after !== undefined && seq <= query.after) continue;
      if (query.since !== undefined && row.event.at < query.since) continue;
      if (!states.includes(row.state) || row.result === null) continue;
      if (row.state === 'waiting') waited += 1;
      row.state = 'waiting';
      row.result = { ...row.result, state: 'waiting', due: now };
      this.#wait(query.hookId, seq);
      seqs.push(seq);
    }
    return { seqs, waited };
  }
  async prune(limits: RetentionLimits): Promise<number> {
    const floor = this.#seq - limits.maxEvents;
    this.#hours.drop(({ hour }) => hour < hourOf(limits.olderThan));
    let events = 0;
    for (const rows of this.#rows.values()) {
      for (const [seq, row] of rows) {
        if (row.state !== 'delivered' && row.state !== 'dead') continue;
        if (seq > floor && row.event.at >= limits.olderThan) break;
        if (this.#drop(rows, row)) events += 1;
      }
    }
    return events;
  }

  async lease(owner: string, now: number, ttlMs: number, _names?: LeaseNames): Promise<Rights> {
    const { owner: held, epoch, until } = this.#lease;
    if (held !== null && held !== owner && now < until) return allOrNothing(null);
    this.#lease = { owner, epoch: held === owner ? epoch : epoch + 1, until: now + ttlMs };
    return allOrNothing(this.#lease.epoch);
  }
  async release(owner: string, names?: readonly string[]): Promise<void> {
    if (names === undefined && this.#lease.owner === owner) this.#lease = { ...this.#lease, owner: null };
  }
  async leaseHolder(): Promise<LeaseHolder | null> {
    const { owner, epoch, until } = this.#lease;
    return owner === null ? null : { owner, epoch, until };
  }
  async size(): Promise<number> {
    return this.#bytes;
  }
  /** Nobody else can write to it. */
  onChange(_listener?: (change: StoreChange) => void): () => void {
    return () => undefined;
  }
  catchUp(): void {}
  async close(): Promise<void> {}

  #wait(hookId: string, seq: number): void {
    let waiting = this.#waiting.get(hookId);
    if (waiting === undefined) this.#waiting.set(hookId, (waiting = new Set()));
    waiting.add(seq);
  }
  /**
   * Records an attempt. Once half of the room is taken, it keeps only few words, because answers of targets must not
   * keep events out.
   */
  #keep(row: Row, result: AttemptResult): void {
    const { attempts: attempt, finishedAt, status, latencyMs, error, response, request = null } = result;
    const one: Attempt = { attempt, finishedAt, status, latencyMs, error, response, request };
    const history = [...row.history, one].slice(-attemptsKept);
    const size = sizeOf(result, history);
    if (size > row.size && this.#bytes + size - row.size > this.#maxBytes / 2) {
      const short = error?.slice(0, shortError) ?? null;
      row.result = { ...result, error: short, response: null };
      row.history = [{ ...one, error: short, response: null, request: null }];
    } else {
      row.result = result;
      row.history = history;
    }
    this.#bytes -= row.size;
    row.size = sizeOf(row.result, row.history);
    this.#bytes += row.size;
  }

  /** @returns whether its event went, too */
  #drop(rows: Map<number, Row> | undefined, row: Row): boolean {
    rows?.delete(row.event.seq);
    this.#bytes -= row.size;
    return this.#unreference(row.event);
  }
  #unreference(event: StoredEvent): boolean {
    event.references -= 1;
    if (event.references > 0 || !this.#ids.delete(event.id)) return false;
    this.#bytes -= event.payload.length + eventOverhead;
    return true;
  }

  /** @throws KongTsError STORE_FAILED if there is no room and no finished delivery can go */
  #makeRoom(events: readonly NewEvent[]): void {
    const needed = events.reduce(
      (sum, { payload, hooks }) => sum + payload.length + eventOverhead + hooks.length * deliveryOverhead,
      0,
    );
    if (needed === 0 || this.#bytes + needed <= this.#maxBytes) return;
    const enough = Math.min(this.#maxBytes - needed, this.#maxBytes * 0.9);
    for (const rows of this.#rows.values()) {
      for (const row of rows.values()) {
        if (this.#bytes <= enough) return;
        if (row.state !== 'delivered' && row.state !== 'dead') continue;
        this.#drop(rows, row);
      }
    }
    if (this.#bytes + needed <= this.#maxBytes) return;
    throw new KongTsError(
      'STORE_FAILED',
      `The event hook store in memory is full (${String(this.#maxBytes)} bytes wait to be delivered).`,
      { fix: 'With --data-dir, deliveries wait on disk.' },
    );
  }
}
