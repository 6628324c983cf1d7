import { randomUUID } from 'node:crypto';
import { messageOf } from '../../base/errors.ts';
import type { Engine } from '../delivery/engine.ts';
import type { Outbox } from '../delivery/outbox.ts';
import type { HookStore } from '../store/types.ts';
import type { CompiledDispatcherOptions } from './options.ts';

/** The dispatcher, as far as maintenance needs it. */
export interface Maintained {
  readonly options: CompiledDispatcherOptions;
  readonly store: HookStore;
  readonly engine: Engine;
  readonly outbox: Pick<Outbox, 'flush'>;
  takeOverChanges(): Promise<void>;
  recount(): Promise<void>;
}

/** Between two prunings, and between two countings, in milliseconds. */
const pauseMs = 10_000;
/** Between two countings where others deliver, too. */
const sharedPauseMs = 2000;

/** What one process of all on a store does, whichever it is: it drops old records, and it watches Kong. */
export const leader = 'leader';

/** Whether a time has come. One that is further away than a pause was set before the clock went back. */
const hasCome = (at: number, now: number): boolean => now >= at || at - now > pauseMs;

/** What a dispatcher does by the clock: keeps its right to deliver, drops old records. */
export class Maintenance {
  readonly #dispatcher: Maintained;
  readonly #owner = `${String(process.pid)}:${randomUUID()}`;
  #timer: unknown = null;
  #turning = false;
  #again = false;
  #started = false;
  #stopped = false;
  #pruneAt = 0;
  #recountAt = 0;
  /** Counts for the right to deliver that is about to be used. */
  #counted = false;

  constructor(dispatcher: Maintained) {
    this.#dispatcher = dispatcher;
  }

  async start(): Promise<void> {
    this.#started = true;
    await this.#turn();
  }
  /** A right may be had: asks for it without waiting. */
  turnNow(): void {
    // One turn at a time: of two, the older answer could come into force last.
    if (this.#turning) this.#again = true;
    else if (this.#started && !this.#stopped) {
      this.#dispatcher.options.clock.clearTimeout(this.#timer);
      void this.#turn();
    }
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
    let againMs = 100;
    this.#turning = true;
    try {
      const until = clock.now() + leaseMs;
      const names = { roles: [leader], groups: engine.groups() };
      const rights = await store.lease(this.#owner, clock.now(), leaseMs, names);
      if (this.#stopped) return;
      ({ againMs } = rights);
      const active = rights.epochs.size > 0;
      if (active !== engine.active) log.info(active ? 'this process delivers' : 'another process delivers');
      // Tries changes again that could not be read when they were told.
      await this.#dispatcher.takeOverChanges();
      await this.#recount(active);
      engine.activate(active ? until : 0, rights.epochs);
      // If the count took longer than the right lasts, it is not repeated.
      if (engine.active) this.#counted = false;
      await this.#giveUp(rights.surplus);
      if (engine.epochOf(leader) !== null && hasCome(this.#pruneAt, clock.now())) await this.#prune();
    } catch (error) {
      log.error('the event hook store does not answer', { error: messageOf(error) });
    } finally {
      this.#turning = false;
    }
    if (this.#stopped) return;
    const nextMs = this.#again ? 0 : Math.min(againMs, leaseMs / 4);
    this.#again = false;
    this.#timer = clock.setTimeout(() => void this.#turn(), nextMs);
  }

  /** Gives up groups above the share of this process: first it ends what it has begun, and has that stored. */
  async #giveUp(surplus: number): Promise<void> {
    const { store, engine, outbox } = this.#dispatcher;
    const names = engine.leave(surplus);
    if (names.length === 0) return;
    await outbox.flush();
    engine.drop(names);
    await store.release(this.#owner, names);
  }

  /**
   * A process that begins to deliver counts what others left. A process that waits, or shares the work, looks now and
   * then how much there is.
   */
  async #recount(active: boolean): Promise<void> {
    const { engine, options, store } = this.#dispatcher;
    const now = options.clock.now();
    const isKnown = active && !store.shared ? engine.active || this.#counted : !hasCome(this.#recountAt, now);
    if (isKnown) return;
    await this.#dispatcher.recount();
    this.#counted = active;
    this.#recountAt = now + (store.shared ? sharedPauseMs : pauseMs);
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
