import { messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { HookHandler } from '../handlers/types.ts';
import type { HookLog } from '../log.ts';
import type { Hook } from '../model/hook.ts';
import type { AttemptResult, Delivery, HookStore, NewEvent } from '../store/types.ts';
import { FailingHooks } from './failing.ts';
import { Gate, Rate } from './gate.ts';
import { Held } from './held.ts';
import { Lane } from './lane.ts';
import type { AttemptEnd, LaneContext, LaneLimits } from './lane.ts';
import { defaultSchedule, retryDelay } from './retry.ts';

export interface EngineOptions {
  store: HookStore;
  clock: Clock;
  log: HookLog;
  createHandler: (hook: Hook) => HookHandler;
  /** Writes an attempt's result; it counts once {@link Engine.stored} hears of it. */
  record: (result: AttemptResult) => void;
  observe: (hook: Hook, result: AttemptResult, delivery: Delivery) => void;
  /** An event that fires the hook was stored. */
  fired: (hook: Hook) => void;
  /** A target answered 410. */
  onGone: (hook: Hook) => void;
  /** Seconds between attempts. */
  schedule?: readonly number[];
  limits: LaneLimits;
  /** Payload characters in memory, over all hooks, queued and in flight. Default 64 Mi. */
  totalSize?: number;
  /** Deliveries in flight per target, over all hooks. */
  targetConcurrency: number;
  /** Deliveries per second and target; null: no limit. */
  targetRate: number | null;
}

/** Makes deliveries. Each hook has a lane, so a slow target does not hold up other hooks. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #targets = new Map<string, { gate: Gate; rate: Rate | null }>();
  readonly #held: Held;
  readonly #failing: FailingHooks;
  readonly #closing = new Set<Promise<void>>();
  #activeUntil = 0;
  /** The epoch of the lease under which deliveries are taken now. */
  #epoch = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#failing = new FailingHooks(options.log);
    this.#held = new Held(options.totalSize ?? 64 * 1024 * 1024);
  }

  /** Whether this process delivers: it holds the store's lease. */
  get active(): boolean {
    return this.#options.clock.now() < this.#activeUntil;
  }

  /**
   * Delivers until a time in milliseconds. Then the right to deliver ends unless it is renewed, so a process that was
   * stopped for longer starts nothing when it goes on.
   * @param until 0: not at all
   * @param epoch of the lease; what is taken under it is recorded under it
   */
  activate(until: number, epoch: number): void {
    // Another process may have had the right since it ran out, even if nobody said so.
    const gained = until > 0 && (!this.active || epoch !== this.#epoch);
    const lost = until === 0 && this.#activeUntil > 0;
    this.#activeUntil = until;
    this.#epoch = epoch;
    for (const lane of this.#lanes.values()) {
      if (gained || lost) lane.reset();
      else lane.pump();
    }
  }

  /** Makes the lanes match the hooks; a changed hook takes effect with the next delivery. */
  setHooks(hooks: readonly Hook[]): void {
    const ids = new Set(hooks.map((hook) => hook.id));
    this.#failing.retain(ids);
    for (const [id, lane] of this.#lanes) {
      if (ids.has(id)) continue;
      this.#lanes.delete(id);
      this.#end(lane);
    }
    for (const hook of hooks) {
      const older = this.#lanes.get(hook.id);
      if (older !== undefined && JSON.stringify(older.hook) === JSON.stringify(hook)) continue;
      const lane = this.#makeLane(hook);
      if (older !== undefined) {
        lane.inherit(older);
        this.#end(older);
      }
      this.#lanes.set(hook.id, lane);
      lane.pump();
    }
  }

  /** New events were stored. */
  offer(events: readonly NewEvent[], seqs: readonly (number | null)[]): void {
    const touched = new Set<Lane>();
    for (const [index, event] of events.entries()) {
      const seq = seqs[index];
      if (seq == null) continue;
      for (const hookId of event.hooks) {
        const lane = this.#lanes.get(hookId);
        if (lane === undefined) continue;
        this.#options.fired(lane.hook);
        lane.offer({
          hookId,
          seq,
          eventId: event.id,
          source: event.source,
          event: event.event,
          at: event.at,
          payload: event.payload,
          attempts: 0,
        });
        touched.add(lane);
      }
    }
    for (const lane of touched) lane.pump();
  }

  /** Results were stored: what waits is tried again when it is due. */
  stored(results: readonly AttemptResult[]): void {
    for (const result of results) {
      const lane = this.#lanes.get(result.hookId);
      lane?.stored(result.seq);
      if (result.state === 'waiting') lane?.waitsUntil(result.due);
    }
  }

  /** Results were not stored because an epoch has passed. If it is ours, another process has the right to deliver. */
  fenced(results: readonly AttemptResult[]): void {
    for (const { hookId, seq } of results) this.#lanes.get(hookId)?.stored(seq);
    if (results.some(({ epoch }) => epoch === this.#epoch)) this.activate(0, this.#epoch);
  }

  /** Deliveries were written by another process. */
  lookAgain(): void {
    for (const lane of this.#lanes.values()) lane.lookAgain();
  }
  /** Deliveries of a hook were made due. */
  lookForDue(hookId: string): void {
    this.#lanes.get(hookId)?.lookForDue();
  }

  /** Payload characters in memory. */
  get heldSize(): number {
    return this.#held.size;
  }
  /** Deliveries in memory and in flight, by hook. */
  load(): { hookId: string; queued: number; inFlight: number }[] {
    return [...this.#lanes].map(([hookId, lane]) => ({
      hookId,
      queued: lane.queued,
      inFlight: lane.inFlight,
    }));
  }

  handlerOf(hookId: string): HookHandler | null {
    return this.#lanes.get(hookId)?.handler ?? null;
  }

  /** Starts nothing more and waits for what is in flight, at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#activeUntil = 0;
    for (const lane of this.#lanes.values()) this.#end(lane);
    this.#lanes.clear();
    let timer: unknown;
    await Promise.race([
      Promise.all(this.#closing),
      new Promise<void>((resolve) => (timer = this.#options.clock.setTimeout(resolve, timeoutMs))),
    ]);
    this.#options.clock.clearTimeout(timer);
  }

  #makeLane(hook: Hook): Lane {
    const { store, clock, log, limits, createHandler } = this.#options;
    const handler = createHandler(hook);
    const target = handler.target === null ? null : this.#target(handler.target);
    const context: LaneContext = {
      store,
      clock,
      limits,
      held: this.#held,
      gate: target?.gate ?? null,
      targetRate: target?.rate ?? null,
      active: () => this.active,
      epoch: () => this.#epoch,
      onAttempt: this.#onAttempt,
      onProblem: (error) => {
        log.error('deliveries cannot be read from the store', { hook: hook.id, error: messageOf(error) });
      },
    };
    return new Lane(hook, handler, context);
  }

  #target(origin: string): { gate: Gate; rate: Rate | null } {
    const known = this.#targets.get(origin);
    if (known !== undefined) return known;
    const { targetConcurrency, targetRate, clock } = this.#options;
    const made = {
      gate: new Gate(targetConcurrency),
      rate: targetRate === null ? null : new Rate(targetRate, clock.now()),
    };
    this.#targets.set(origin, made);
    return made;
  }

  #end(lane: Lane): void {
    const closing = lane.close().catch((error: unknown) => {
      this.#options.log.warn('a handler did not close', { hook: lane.hook.id, error: messageOf(error) });
    });
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  readonly #onAttempt = ({ hook }: Lane, { delivery, epoch, outcome, latencyMs }: AttemptEnd): void => {
    const { clock, record, observe, onGone, schedule = defaultSchedule } = this.#options;
    const attempts = delivery.attempts + Math.max(1, outcome.sent ?? 1);
    const now = clock.now();
    const delay =
      outcome.ok || outcome.gone === true || outcome.final === true
        ? null
        : retryDelay(attempts, hook.retry_schedule ?? schedule, clock.random(), outcome.retryAfterMs);
    const result: AttemptResult = {
      hookId: hook.id,
      seq: delivery.seq,
      epoch,
      state: outcome.ok ? 'delivered' : delay === null ? 'dead' : 'waiting',
      attempts,
      due: now + (delay ?? 0),
      finishedAt: now,
      status: outcome.status,
      latencyMs: Math.round(latencyMs * 100) / 100,
      error: outcome.error,
      response: outcome.response,
      ...(outcome.request === undefined ? {} : { request: outcome.request }),
    };
    record(result);
    observe(hook, result, delivery);
    this.#failing.attempted(hook, result);
    if (outcome.gone === true) onGone(hook);
  };
}
