import type { QueueSettings } from '../config/settings.ts';
import { retryDelay } from './backoff.ts';
import type { Clock } from './clock.ts';
import { Fifo } from './fifo.ts';

/** The part of `max_entries` at which Kong's queue warns. */
const warnAt = 0.8;

/** One record on its way. `token` is whatever the spool needs to forget it, null without a spool. */
export interface Entry<Token = unknown> {
  readonly bytes: Buffer;
  readonly token: Token;
}

/** What came of one attempt to deliver a batch. */
export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** Whether another attempt can succeed. */
      readonly retry: boolean;
      /** Milliseconds that the destination asked to wait, null when it did not say. */
      readonly retryAfterMs: number | null;
      /** For people: status and beginning of the answer, or the network's error. */
      readonly reason: string;
    };

/** Why records were lost. */
export type DropReason =
  'queue_full' | 'too_large' | 'refused' | 'retry_time' | 'shutdown' | 'spool_full' | 'expired' | 'damaged';

export interface QueueEvents<Token> {
  /** Sends one batch, and says once what came of it: at once or later. */
  deliver(batch: readonly Entry<Token>[], settle: (delivery: Delivery) => void): void;
  delivered(batch: readonly Entry<Token>[]): void;
  dropped(entries: readonly Entry<Token>[], reason: DropReason, detail: string): void;
  /** An attempt failed and will be made again. */
  retrying(batch: readonly Entry<Token>[], reason: string, delay: number): void;
  /** Four fifths of `max_entries` are reached. */
  filling?(): void;
  /** Whether a record is too old to be delivered. Asked after a failed attempt, and by `expire`. */
  expired?(entry: Entry<Token>): boolean;
  /** There is room again for at least one entry. */
  drained?(): void;
}

/** A batch that is under way. */
interface Batch<Token> {
  /** What is left of it: records can become too old meanwhile. */
  entries: readonly Entry<Token>[];
  /** How many it had at first. */
  readonly records: number;
  readonly started: number;
  retries: number;
  /** Whether an attempt has failed. */
  failed: boolean;
}

/**
 * Kong's plugin queue (3.9): records wait until a batch is full or `max_coalescing_delay` has passed since the first
 * of them; a batch that fails is tried again with doubled delays until `max_retry_time` is over; when `max_entries`
 * or `max_bytes` is reached, the oldest waiting records go.
 *
 * Unlike Kong's, several batches are under way at a time (`concurrency`), but only one while the destination fails.
 */
export class Queue<Token = unknown> {
  readonly #waiting = new Fifo<Entry<Token>>();
  #waitingBytes = 0;
  #underWay = 0;
  #underWayEntries = 0;
  #failing = 0;
  /** Retries of a batch that was put back, so that the next one does not start with short waits again. */
  #carriedRetries = 0;
  #isFilling = false;
  #pumping = false;
  #batchStarted = 0;
  #cancelTimer: (() => void) | null = null;
  #state: 'running' | 'flushing' | 'stopped' = 'running';
  readonly #wakeUps = new Set<() => void>();
  #idleWaiters: (() => void)[] = [];
  readonly #leftovers: Entry<Token>[] = [];
  readonly #settings: QueueSettings;
  readonly #clock: Clock;
  readonly #events: QueueEvents<Token>;

  constructor(settings: QueueSettings, clock: Clock, events: QueueEvents<Token>) {
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
  }

  /** Waiting records, without those under way. */
  get length(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#waitingBytes;
  }

  /** Records under way. */
  get sending(): number {
    return this.#underWayEntries;
  }

  /**
   * Whether the next entry of this size would push an older one out.
   *
   * @param announced entries that are about to be pushed, and their bytes
   */
  isFull(size: number, announced = 0, announcedBytes = 0): boolean {
    return (
      this.#waiting.length + announced >= this.#settings.maxEntries ||
      this.#waitingBytes + announcedBytes + size > this.#settings.maxBytes
    );
  }

  push(entry: Entry<Token>): void {
    if (this.#state === 'stopped') {
      this.#leftovers.push(entry);
      return;
    }
    const size = entry.bytes.length;
    if (size > this.#settings.maxBytes) {
      this.#events.dropped(
        [entry],
        'too_large',
        `a record of ${size} bytes is longer than queue.max_bytes (${this.#settings.maxBytes})`,
      );
      return;
    }
    this.#watchFilling();
    if (this.isFull(size)) this.#makeRoom(size);
    if (this.#waiting.length === 0) this.#batchStarted = this.#clock.now();
    this.#keep(entry);
    this.#pump();
  }

  /** Sends what is queued without waiting for full batches. Resolves when all is settled, or after `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    if (this.#state === 'running') this.#state = 'flushing';
    this.#pump();
    if (this.#isIdle()) return;
    let cancel = (): void => undefined;
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve);
      cancel = this.#clock.after(limitMs, resolve);
    });
    cancel();
  }

  /**
   * Ends all retries, waits for the attempts under way, which `abort` makes fail, and returns what was not delivered,
   * oldest first.
   */
  async stop(abort: () => void): Promise<Entry<Token>[]> {
    this.#state = 'stopped';
    this.#cancelTimer?.();
    for (const wake of [...this.#wakeUps]) wake();
    abort();
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    this.#waitingBytes = 0;
    return [...this.#leftovers.splice(0), ...this.#waiting.clear()];
  }

  /** Drops the waiting records that are too old. */
  expire(): void {
    const all = this.#waiting.clear();
    this.#waitingBytes = 0;
    for (const entry of this.#withoutExpired(all)) this.#keep(entry);
  }

  #withoutExpired(entries: readonly Entry<Token>[]): readonly Entry<Token>[] {
    const old = new Set(entries.filter((entry) => this.#events.expired?.(entry) === true));
    if (old.size === 0) return entries;
    this.#events.dropped([...old], 'expired', 'undelivered records are older than spool.max_age');
    return entries.filter((entry) => !old.has(entry));
  }

  #keep(entry: Entry<Token>): void {
    this.#waiting.push(entry);
    this.#waitingBytes += entry.bytes.length;
  }

  /** Kong's warning, once until there is room again. */
  #watchFilling(): void {
    const isFilling = this.#waiting.length + this.#underWayEntries >= this.#settings.maxEntries * warnAt;
    if (isFilling && !this.#isFilling) this.#events.filling?.();
    this.#isFilling = isFilling;
  }

  #makeRoom(size: number): void {
    const gone: Entry<Token>[] = [];
    while (this.isFull(size)) {
      const oldest = this.#take();
      if (oldest === undefined) break;
      gone.push(oldest);
    }
    if (gone.length > 0) this.#events.dropped(gone, 'queue_full', 'queue full, dropping old entries');
  }

  #take(): Entry<Token> | undefined {
    const entry = this.#waiting.shift();
    if (entry !== undefined) this.#waitingBytes -= entry.bytes.length;
    return entry;
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#underWay === 0;
  }

  /** A delivery that ends at once calls it again. Then the outer call goes on. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#sendWhatIsDue();
    this.#pumping = false;
  }

  #sendWhatIsDue(): void {
    while (this.#state !== 'stopped' && this.#waiting.length > 0) {
      if (this.#underWay >= (this.#failing > 0 ? 1 : this.#settings.concurrency)) return;
      const wait = this.#coalescingLeft();
      if (wait > 0) {
        this.#arm(wait);
        return;
      }
      this.#cancelTimer?.();
      this.#cancelTimer = null;
      const batch: Entry<Token>[] = [];
      while (batch.length < this.#settings.maxBatchSize) {
        const entry = this.#take();
        if (entry === undefined) break;
        batch.push(entry);
      }
      this.#batchStarted = this.#clock.now();
      this.#run(batch);
    }
  }

  #coalescingLeft(): number {
    const { maxBatchSize, maxCoalescingDelayMs, fullBatchBytes = Infinity } = this.#settings;
    if (this.#waiting.length >= maxBatchSize || this.#state === 'flushing') return 0;
    if (this.#waitingBytes >= fullBatchBytes) return 0;
    return maxCoalescingDelayMs - (this.#clock.now() - this.#batchStarted);
  }

  #arm(delay: number): void {
    if (this.#cancelTimer !== null) return;
    this.#cancelTimer = this.#clock.after(delay, () => {
      this.#cancelTimer = null;
      this.#pump();
    });
  }

  #run(batch: Entry<Token>[]): void {
    this.#underWay += 1;
    this.#underWayEntries += batch.length;
    const started = this.#clock.now();
    this.#attempt({
      entries: batch,
      records: batch.length,
      started,
      retries: this.#carriedRetries,
      failed: false,
    });
  }

  #attempt(batch: Batch<Token>): void {
    this.#events.deliver(batch.entries, (delivery) => {
      if (delivery.ok) {
        this.#carriedRetries = 0;
        this.#events.delivered(batch.entries);
        this.#settle(batch);
      } else if (!delivery.retry) {
        this.#events.dropped(batch.entries, 'refused', delivery.reason);
        this.#settle(batch);
      } else this.#failedOnce(batch, delivery);
    });
  }

  /** An attempt has failed, and another one may succeed. */
  #failedOnce(batch: Batch<Token>, { reason, retryAfterMs }: Delivery & { ok: false }): void {
    if (this.#isStopped()) {
      this.#leave(batch);
      return;
    }
    batch.entries = this.#withoutExpired(batch.entries);
    if (batch.entries.length === 0) {
      this.#settle(batch);
      return;
    }
    const isOver = this.#clock.now() - batch.started > this.#settings.maxRetryTimeMs;
    if (isOver && this.#settings.keepUndelivered !== true) {
      this.#events.dropped(
        batch.entries,
        'retry_time',
        `could not send entries due to max_retry_time exceeded: ${reason}`,
      );
      this.#settle(batch);
      return;
    }
    if (!batch.failed) this.#failing += 1;
    batch.failed = true;
    const delay = retryDelay(this.#settings, batch.retries, retryAfterMs);
    this.#events.retrying(batch.entries, reason, delay);
    this.#sleep(delay, () => this.#again(batch, isOver));
  }

  #again(batch: Batch<Token>, isOver: boolean): void {
    batch.retries += 1;
    if (this.#isStopped()) this.#leave(batch);
    else if (isOver) {
      this.#carriedRetries = batch.retries;
      this.#putBack(batch.entries);
      this.#settle(batch);
    } else this.#attempt(batch);
  }

  /** A stop hands it out. */
  #leave(batch: Batch<Token>): void {
    this.#leftovers.push(...batch.entries);
    this.#settle(batch);
  }

  /** Nothing more is done for a batch; others take its place. */
  #settle({ records, failed }: Batch<Token>): void {
    if (failed) this.#failing -= 1;
    this.#underWay -= 1;
    this.#underWayEntries -= records;
    this.#events.drained?.();
    this.#pump();
    const settled = this.#isStopped() ? this.#underWay === 0 : this.#isIdle();
    if (settled) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Lets the others go first: what is wrong may be this batch. */
  #putBack(batch: readonly Entry<Token>[]): void {
    if (this.#waiting.length === 0) this.#batchStarted = this.#clock.now();
    for (const entry of batch) this.#keep(entry);
  }

  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #sleep(delay: number, then: () => void): void {
    const wake = (): void => {
      cancel();
      this.#wakeUps.delete(wake);
      then();
    };
    const cancel = this.#clock.after(delay, wake);
    this.#wakeUps.add(wake);
  }
}
