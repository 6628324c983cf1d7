import { messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { HookHandler } from '../handlers/types.ts';
import type { HookLog } from '../log.ts';
import type { Hook } from '../model/hook.ts';
import { anyName } from '../store/types.ts';
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

const epochIn = (epochs: ReadonlyMap<string, number>, name: string): number | null =>
  epochs.get(name) ?? epochs.get(anyName) ?? null;

/** Makes deliveries. Each hook has a lane, so a slow target does not hold up other hooks. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #targets = new Map<string, { gate: Gate; rate: Rate | null }>();
  readonly #held: Held;
  readonly #failing: FailingHooks;
  readonly #closing = new Set<Promise<void>>();
  /** Lanes that end what they have in flight. */
  readonly #ending = new Set<Lane>();
  #activeUntil = 0;
  /** The epoch under which the deliveries of each group are taken now. */
  #epochs: ReadonlyMap<string, number> = new Map();
  /** Groups that are to be given up: nothing of them starts. */
  readonly #leaving = new Set<string>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#failing = new FailingHooks(options.log);
    this.#held = new Held(options.totalSize ?? 64 * 1024 * 1024);
  }

  /** Whether this process has a right to something in the store. */
  get active(): boolean {
    return this.#epochs.size > 0 && this.#options.clock.now() < this.#activeUntil;
  }
  /** Whether this process has the right to a role or a group, under an epoch. Null: it has not. */
  epochOf(name: string): number | null {
    return this.active ? epochIn(this.#epochs, name) : null;
  }
  /** What this process has a right to, and under which epochs. */
  get rights(): { name: string; epoch: number }[] {
    return this.active ? [...this.#epochs].map(([name, epoch]) => ({ name, epoch })) : [];
  }
  /** The groups that the deliveries of all hooks are in. */
  groups(): string[] {
    return [...new Set([...this.#lanes.values()].map(({ group }) => group))];
  }

  /**
   * Delivers until a time in milliseconds. Then the right to deliver ends unless it is renewed, so a process that was
   * stopped for longer starts nothing when it goes on.
   * @param until 0: not at all
   * @param epochs of the groups; what is taken under one is recorded under it
   */
  activate(until: number, epochs: ReadonlyMap<string, number>): void {
    // Another process may have had the right since it ran out, even if nobody said so.
    const before = this.active ? this.#epochs : new Map<string, number>();
    const had = this.#activeUntil > 0 ? this.#epochs : before;
    this.#activeUntil = until;
    this.#epochs = until === 0 ? new Map() : epochs;
    for (const group of this.#leaving) if (epochIn(this.#epochs, group) === null) this.#leaving.delete(group);
    for (const lane of this.#lanes.values()) {
      const epoch = epochIn(this.#epochs, lane.group);
      const gained = epoch !== null && epoch !== epochIn(before, lane.group);
      const lost = epoch === null && epochIn(had, lane.group) !== null;
      if (gained || lost) lane.reset();
      else lane.pump();
    }
  }

  /**
   * Starts nothing more of so many groups of those it has.
   * @returns those of which nothing is in flight any more: they can be given up
   */
  leave(count: number): string[] {
    const mine = this.groups().filter((group) => this.#epochs.has(group));
    for (const group of this.#leaving) if (count < this.#leaving.size) this.#leaving.delete(group);
    for (const group of mine.reverse()) if (this.#leaving.size < count) this.#leaving.add(group);
    const busy = new Set(
      [...this.#lanes.values(), ...this.#ending]
        .filter(({ inFlight }) => inFlight > 0)
        .map(({ group }) => group),
    );
    return [...this.#leaving].filter((group) => !busy.has(group));
  }

  /** These groups are another process's from now on. */
  drop(names: readonly string[]): void {
    const left = [...this.#epochs].filter(([name]) => !names.includes(name));
    this.activate(left.length === 0 ? 0 : this.#activeUntil, new Map(left));
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
    const lost = new Set(results.map(({ epoch }) => epoch));
    const left = [...this.#epochs].filter(([, epoch]) => !lost.has(epoch));
    if (left.length < this.#epochs.size)
      this.activate(left.length === 0 ? 0 : this.#activeUntil, new Map(left));
    for (const { hookId, seq } of results) this.#lanes.get(hookId)?.fenced(seq);
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

  /** When the oldest new delivery that is queued was emitted, in milliseconds since the epoch; null: none is. */
  oldestQueuedAt(): number | null {
    let oldest: number | null = null;
    for (const { oldestQueuedAt: at } of this.#lanes.values())
      if (at !== null && (oldest === null || at < oldest)) oldest = at;
    return oldest;
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
      group: handler.target ?? `hook:${hook.id}`,
      held: this.#held,
      gate: target?.gate ?? null,
      targetRate: target?.rate ?? null,
      epoch: (group) => (this.#leaving.has(group) ? null : this.epochOf(group)),
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
    this.#ending.add(lane);
    const closing = lane.close().catch((error: unknown) => {
      this.#options.log.warn('a handler did not close', { hook: lane.hook.id, error: messageOf(error) });
    });
    this.#closing.add(closing);
    void closing.then(() => {
      this.#closing.delete(closing);
      this.#ending.delete(lane);
    });
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
