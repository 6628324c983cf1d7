import { randomUUID } from 'node:crypto';
import { messageOf } from '../../errors.ts';
import type { Dispatcher } from './index.ts';

/** What a dispatcher does by the clock: keeps its right to deliver, looks for others' changes, drops old records. */
export class Maintenance {
  readonly #dispatcher: Dispatcher;
  readonly #owner = `${String(process.pid)}:${randomUUID()}`;
  #timer: unknown = null;
  #stopped = false;
  #pruneAt = 0;

  constructor(dispatcher: Dispatcher) {
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
    const { store, options, engine, hooks } = this.#dispatcher;
    const { clock, log, leaseMs } = options;
    try {
      const until = clock.now() + leaseMs;
      const active = await store.lease(this.#owner, clock.now(), leaseMs);
      if (this.#stopped) return;
      if (active !== engine.active) log.info(active ? 'this process delivers' : 'another process delivers');
      const changed = await store.changedElsewhere();
      if (changed) await hooks.reload();
      engine.activate(active ? until : 0);
      if (changed) engine.lookAgain();
      if (active && clock.now() >= this.#pruneAt) await this.#prune();
    } catch (error) {
      log.error('the event hook store does not answer', { error: messageOf(error) });
    }
    if (this.#stopped) return;
    // Waiting for the right to deliver: look often, so that a takeover is quick.
    const next = engine.active ? Math.min(500, leaseMs / 4) : 100;
    this.#timer = clock.setTimeout(() => void this.#turn(), next);
  }

  async #prune(): Promise<void> {
    const { store, options } = this.#dispatcher;
    const now = options.clock.now();
    const removed = await store.prune({
      olderThan: now - options.recordAgeMs,
      maxEvents: options.recordCount,
    });
    // A full portion means that there is more.
    this.#pruneAt = removed >= 1000 ? now : now + 10_000;
  }
}
