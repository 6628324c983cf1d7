import { randomUUID } from 'node:crypto';
import { messageOf } from '../../base/errors.ts';
import type { Engine } from '../delivery/engine.ts';
import type { HookStore } from '../store/types.ts';
import type { CompiledDispatcherOptions } from './options.ts';

/** The dispatcher, as far as maintenance needs it. */
export interface Maintained {
  readonly options: CompiledDispatcherOptions;
  readonly store: HookStore;
  readonly engine: Engine;
  takeOverChanges(): Promise<void>;
  recount(): Promise<void>;
}

/** Between two prunings, and between two countings, in milliseconds. */
const pauseMs = 10_000;

/** Whether a time has come. One that is further away than a pause was set before the clock went back. */
const hasCome = (at: number, now: number): boolean => now >= at || at - now > pauseMs;

/** What a dispatcher does by the clock: keeps its right to deliver, drops old records. */
export class Maintenance {
  readonly #dispatcher: Maintained;
  readonly #owner = `${String(process.pid)}:${randomUUID()}`;
  #timer: unknown = null;
  #stopped = false;
  #pruneAt = 0;
  #recountAt = 0;
  /** Counts for the right to deliver that is about to be used. */
  #counted = false;

  constructor(dispatcher: Maintained) {
    this.#dispatcher = dispatcher;
  }

  async start(): Promise<void> {
    await this.#turn();
  }
  stop(): void {
    this.#stopped = true;
    this.#dispatcher.options.clock.clearTimeout(this.#timer);
  }
  /** Lets the next process deliver at once. */
  async release(): Promise<void> {
    await this.#dispatcher.store.release(this.#owner).catch(() => undefined);
  }

  async #turn(): Promise<void> {
    const { store, options, engine } = this.#dispatcher;
    const { clock, log, leaseMs } = options;
    try {
      const until = clock.now() + leaseMs;
      const epoch = await store.lease(this.#owner, clock.now(), leaseMs);
      const active = epoch !== null;
      if (this.#stopped) return;
      if (active !== engine.active) log.info(active ? 'this process delivers' : 'another process delivers');
      // Tries changes again that could not be read when they were told.
      await this.#dispatcher.takeOverChanges();
      await this.#recount(active);
      engine.activate(active ? until : 0, epoch ?? 0);
      // If the count took longer than the right lasts, it is not repeated.
      if (engine.active) this.#counted = false;
      if (active && hasCome(this.#pruneAt, clock.now())) await this.#prune();
    } catch (error) {
      log.error('the event hook store does not answer', { error: messageOf(error) });
    }
    if (this.#stopped) return;
    // While it waits for the right to deliver, it looks often, so that a takeover is quick.
    const nextMs = engine.active ? Math.min(500, leaseMs / 4) : 100;
    this.#timer = clock.setTimeout(() => void this.#turn(), nextMs);
  }

  /**
   * A process that begins to deliver counts what others left. A process that waits looks now and then whether there is
   * room for more.
   */
  async #recount(active: boolean): Promise<void> {
    const { engine, options } = this.#dispatcher;
    const now = options.clock.now();
    if (active ? engine.active || this.#counted : !hasCome(this.#recountAt, now)) return;
    await this.#dispatcher.recount();
    this.#counted = active;
    this.#recountAt = now + pauseMs;
  }

  async #prune(): Promise<void> {
    const { store, options } = this.#dispatcher;
    const now = options.clock.now();
    const removed = await store.prune({
      olderThan: now - options.recordAgeMs,
      maxEvents: options.recordCount,
    });
    // A full portion means that there is more.
    this.#pruneAt = removed >= 1000 ? now : now + pauseMs;
  }
}
