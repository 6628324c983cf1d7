import { KongTsError, messageOf } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { HookLog } from '../log.ts';
import type { AttemptResult, HookStore, NewEvent } from '../store/types.ts';

interface Waiting {
  events: NewEvent[];
  heldBack: ((hookId: string) => void) | undefined;
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
}

const maxEventsPerTransaction = 1000;
const maxResultsPerTransaction = 2000;
/** Results that could not be written for so long are given up; their deliveries are made again after a restart. */
const maxUnwrittenResults = 100_000;

/**
 * Gathers what has to be written and writes it in one transaction per turn of the event loop: new events as soon as
 * the loop is free, results with them or a few milliseconds later.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #events: Waiting[] = [];
  #results: AttemptResult[] = [];
  #running: Promise<void> | null = null;
  #soon: NodeJS.Immediate | null = null;
  #later: unknown = null;
  /** Whether the last write went through; null before the first. */
  healthy = true;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Results not written yet. */
  get unwritten(): number {
    return this.#results.length;
  }

  /**
   * Stores events. Hooks that their rules hold back are taken out of them.
   * @param heldBack told of each of those
   * @throws KongTsError STORE_FAILED when they are not stored
   */
  add(events: NewEvent[], heldBack?: (hookId: string) => void): Promise<(number | null)[]> {
    return new Promise((resolve, reject) => {
      this.#events.push({ events, heldBack, resolve, reject });
      this.#schedule();
    });
  }

  result(result: AttemptResult): void {
    this.#results.push(result);
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
    for (let next = this.#events[0]; next !== undefined; next = this.#events[0]) {
      if (count > 0 && count + next.events.length > maxEventsPerTransaction) break;
      waiting.push(next);
      count += next.events.length;
      this.#events.shift();
    }
    const events =
      waiting.length === 1 && waiting[0] !== undefined ? waiting[0].events : waiting.flatMap((w) => w.events);
    const results = this.#results.splice(0, maxResultsPerTransaction);
    const { store, log, onStored, onResults } = this.#options;
    try {
      const held: [NewEvent, string][] = [];
      const seqs = await store.commit(events, results, (index, hookId) => {
        const event = events[index];
        if (event !== undefined) held.push([event, hookId]);
      });
      for (const [event, hookId] of held) {
        event.hooks = event.hooks.filter((hook) => hook !== hookId);
        waiting.find((one) => one.events.includes(event))?.heldBack?.(hookId);
      }
      if (!this.healthy) log.notice('the event hook store works again');
      this.healthy = true;
      onResults(results);
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
      this.#results.unshift(...results);
      this.#results.length = Math.min(this.#results.length, maxUnwrittenResults);
      for (const one of waiting) one.reject(failure);
    }
  }
}
