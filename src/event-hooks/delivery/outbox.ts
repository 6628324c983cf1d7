import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { HookLog } from '../log.ts';
import { sizeOfSent } from '../store/sent-request.ts';
import { EventRefusedError } from '../store/types.ts';
import type { AttemptResult, HookStore, NewEvent } from '../store/types.ts';

/** The sender of events, and what it wants to hear about them. */
export interface OutboxListener {
  /** A hook's rules kept an event from firing it. */
  heldBack?: (hookId: string) => void;
  /** The store will never take an event, whatever its state. */
  refused?: (event: NewEvent, reason: string) => void;
}

interface Waiting {
  events: NewEvent[];
  bytes: number;
  listener: OutboxListener;
  resolve: (seqs: (number | null)[]) => void;
  reject: (error: KongTsError) => void;
}

export interface OutboxOptions {
  store: HookStore;
  clock: Clock;
  log: HookLog;
  /** Called in the order of storing, before the promise of `add` resolves. */
  onStored: (events: readonly NewEvent[], seqs: readonly (number | null)[]) => void;
  /** Called when results are stored. */
  onResults: (results: readonly AttemptResult[]) => void;
  /** Called with results that were not stored, because another process has the right to deliver now. */
  onFenced: (results: readonly AttemptResult[]) => void;
}

const maxEventsPerTransaction = 1000;
const maxBytesPerTransaction = 16 * 1024 * 1024;
/** How much may wait for the store at a time. Beyond that, senders keep their events. */
const maxWaitingBytes = 64 * 1024 * 1024;
const maxResultsPerTransaction = 2000;
/** Unwritten results beyond this many bytes are given up. Their deliveries are made again later. */
const maxUnwrittenBytes = 64 * 1024 * 1024;

/** Rough use of memory: two bytes for each character, and what surrounds them. */
const bytesOf = ({ payload, hooks }: NewEvent): number => payload.length * 2 + hooks.length * 100 + 400;
const resultBytes = ({ error, response, request }: AttemptResult): number =>
  ((error?.length ?? 0) + (response?.length ?? 0) + sizeOfSent(request)) * 2 + 300;

interface Committed {
  seqs: (number | null)[];
  held: [NewEvent, string][];
  refused: Map<NewEvent, string>;
  fenced: ReadonlySet<AttemptResult>;
}

/**
 * Gathers everything to be written and writes it in one transaction per turn of the event loop. New events leave as
 * soon as the loop is free, and results with them or a few milliseconds later.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #events: Waiting[] = [];
  #results: AttemptResult[] = [];
  #waitingBytes = 0;
  #resultBytes = 0;
  #running: Promise<void> | null = null;
  #soon: NodeJS.Immediate | null = null;
  #later: unknown = null;
  /** Whether the last write went through; null before the first. */
  healthy = true;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Stores events. Hooks that their rules hold back are taken out of them.
   * @throws KongTsError STORE_FAILED when they are not stored
   */
  add(events: NewEvent[], listener: OutboxListener = {}): Promise<(number | null)[]> {
    const bytes = events.reduce((sum, event) => sum + bytesOf(event), 0);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > maxWaitingBytes) {
      return Promise.reject(new KongTsError('STORE_FAILED', 'Too much waits to be stored already.'));
    }
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#events.push({ events, bytes, listener, resolve, reject });
      this.#schedule();
    });
  }

  result(result: AttemptResult): void {
    this.#results.push(result);
    this.#resultBytes += resultBytes(result);
    this.#boundResults();
    this.#schedule();
  }

  /** Writes everything there is; resolves when the store has it or has refused it. */
  async flush(): Promise<void> {
    do {
      while (this.#running !== null) await this.#running;
      if (this.#events.length === 0 && this.#results.length === 0) return;
      await this.#run();
    } while (this.healthy);
  }

  #schedule(): void {
    if (this.#running !== null || this.#soon !== null) return;
    // While the store fails, results alone are tried once a second; new events are tried as they come.
    if (this.#events.length > 0 || (this.healthy && this.#results.length >= 256)) {
      this.#soon = setImmediate(() => {
        this.#soon = null;
        if (this.#running === null) void this.#run();
      });
    } else if (this.#later === null && this.#results.length > 0) {
      this.#later = this.#options.clock.setTimeout(
        () => {
          this.#later = null;
          if (this.#running === null) void this.#run();
        },
        this.healthy ? 4 : 1000,
      );
    }
  }

  #run(): Promise<void> {
    this.#running = this.#write().finally(() => {
      this.#running = null;
      this.#schedule();
    });
    return this.#running;
  }

  async #write(): Promise<void> {
    const waiting: Waiting[] = [];
    let count = 0;
    let bytes = 0;
    for (let next = this.#events[0]; next !== undefined; next = this.#events[0]) {
      const full =
        count + next.events.length > maxEventsPerTransaction || bytes + next.bytes > maxBytesPerTransaction;
      if (count > 0 && full) break;
      waiting.push(next);
      count += next.events.length;
      bytes += next.bytes;
      this.#events.shift();
    }
    const events =
      waiting.length === 1 && waiting[0] !== undefined ? waiting[0].events : waiting.flatMap((w) => w.events);
    const results = this.#results.splice(0, maxResultsPerTransaction);
    for (const result of results) this.#resultBytes -= resultBytes(result);
    const { log, onStored } = this.#options;
    try {
      const { seqs, held, refused, fenced } = await this.#commit(events, results);
      const ownerOf = (event: NewEvent): OutboxListener | undefined =>
        waiting.find((one) => one.events.includes(event))?.listener;
      for (const [event, hookId] of held) {
        event.hooks = event.hooks.filter((hook) => hook !== hookId);
        ownerOf(event)?.heldBack?.(hookId);
      }
      for (const [event, reason] of refused) {
        log.error('an event can never be stored and is refused', { event: event.id, error: reason });
        ownerOf(event)?.refused?.(event, reason);
      }
      if (!this.healthy) log.notice('the event hook store works again');
      this.healthy = true;
      this.#tellResults(results, fenced);
      onStored(events, seqs);
      let at = 0;
      for (const one of waiting) one.resolve(seqs.slice(at, (at += one.events.length)));
    } catch (error) {
      const failure =
        error instanceof KongTsError
          ? error
          : new KongTsError('STORE_FAILED', `The store failed: ${messageOf(error)}`);
      if (this.healthy) log.error('events cannot be stored', { error: failure.message });
      this.healthy = false;
      this.#results = [...results, ...this.#results];
      for (const result of results) this.#resultBytes += resultBytes(result);
      this.#boundResults();
      for (const one of waiting) one.reject(failure);
    } finally {
      this.#waitingBytes -= bytes;
    }
  }

  /** Stores what can be stored. It takes out an event that never can be, and tries the others again. */
  async #commit(events: readonly NewEvent[], results: readonly AttemptResult[]): Promise<Committed> {
    const refused = new Map<NewEvent, string>();
    for (;;) {
      const left = refused.size === 0 ? events : events.filter((event) => !refused.has(event));
      const held: [NewEvent, string][] = [];
      const fenced = new Set<AttemptResult>();
      try {
        const found = await this.#options.store.commit(left, results, {
          heldBack: (index, hookId) => {
            const event = left[index];
            if (event !== undefined) held.push([event, hookId]);
          },
          fenced: (result) => fenced.add(result),
        });
        if (refused.size === 0) return { seqs: found, held, refused, fenced };
        const bySeq = new Map(left.map((event, index) => [event, found[index] ?? null]));
        return { seqs: events.map((event) => bySeq.get(event) ?? null), held, refused, fenced };
      } catch (error) {
        const event = error instanceof EventRefusedError ? left[error.index] : undefined;
        if (event === undefined) throw error;
        refused.set(event, messageOf(error));
      }
    }
  }

  #tellResults(results: readonly AttemptResult[], fenced: ReadonlySet<AttemptResult>): void {
    const { onResults, onFenced } = this.#options;
    if (fenced.size === 0) {
      onResults(results);
      return;
    }
    onResults(results.filter((result) => !fenced.has(result)));
    onFenced([...fenced]);
  }

  #boundResults(): void {
    while (this.#resultBytes > maxUnwrittenBytes) {
      const last = this.#results.pop();
      if (last === undefined) return;
      this.#resultBytes -= resultBytes(last);
    }
  }
}
