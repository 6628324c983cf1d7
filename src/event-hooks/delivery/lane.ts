import { messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { HookHandler, Outcome } from '../handlers/types.ts';
import type { Hook } from '../model/hook.ts';
import type { Delivery, HookStore } from '../store/types.ts';
import { Rate, takeFrom } from './gate.ts';
import type { Gate } from './gate.ts';
import type { Held } from './held.ts';
import { PayloadQueue } from './queue.ts';

export interface LaneLimits {
  /** Deliveries in memory; the others stay in the store. */
  queueLength: number;
  /** Payload characters in memory. */
  queueSize: number;
  /** Deliveries in flight, where the hook does not say. */
  concurrency: number;
}

/** An attempt that has ended. */
export interface AttemptEnd {
  delivery: Delivery;
  /** Under which the delivery was taken. */
  epoch: number;
  outcome: Outcome;
  latencyMs: number;
}

export interface LaneContext {
  store: HookStore;
  clock: Clock;
  limits: LaneLimits;
  /** Shared by all lanes. */
  held: Held;
  gate: Gate | null;
  targetRate: Rate | null;
  /** The group that the hook's deliveries are in: those of one target. */
  group: string;
  /** The epoch under which deliveries of a group are taken now. Null: another process makes them. */
  epoch: (group: string) => number | null;
  onAttempt: (lane: Lane, end: AttemptEnd) => void;
  onProblem: (error: unknown) => void;
}

const retriesAtOnce = 100;
const lost: Outcome = {
  ok: false,
  status: null,
  error: 'the stored event is not a JSON object',
  response: null,
  final: true,
};
/** Whether a payload looks like the object that was stored. To parse each one would cost more than to send it. */
const whole = (payload: string): boolean => payload.startsWith('{') && payload.endsWith('}');

/**
 * The deliveries of one hook: new ones in the order of their events, and those that are due again. Deliveries that do
 * not fit into memory stay in the store, and the lane reads them when there is room. So a target that is down costs
 * disk, not memory.
 */
export class Lane {
  readonly hook: Hook;
  readonly #handler: HookHandler;
  readonly #context: LaneContext;
  readonly #queue = new PayloadQueue<Delivery>();
  readonly #retries = new PayloadQueue<Delivery>();
  /** The hook's own rate and its target's. */
  readonly #rates: readonly (Rate | null)[];
  readonly #concurrency: number;
  #inFlight = 0;
  /** The last event number that went through the queue. */
  #cursor = 0;
  /**
   * Up to this number, the lane has read the store to its end. Later deliveries of another process have higher numbers.
   */
  #base = 0;
  /** Deliveries queued, in flight, or ended and not yet written: the store still shows them as pending. */
  #known = new Set<number>();
  /** Results that were stored while the store was read: what comes back may still show them as pending. */
  readonly #ended = new Set<number>();
  /** The store may hold deliveries above the cursor. */
  #behind = true;
  /** A delivery was offered and not taken since the store was last read. */
  #missed = false;
  /** Changes with every {@link reset}. Everything read before that is void. */
  #turn = 0;
  #loading = false;
  #nextDue: number | null = 0;
  #timer: unknown = null;
  #timerAt = 0;
  #closed = false;
  /** The target wants no more: nothing starts until the hook is changed. */
  #gone = false;
  #idle: (() => void)[] = [];
  /** The lane that has taken over. */
  #heir: Lane | null = null;

  constructor(hook: Hook, handler: HookHandler, context: LaneContext) {
    this.hook = hook;
    this.#handler = handler;
    this.#context = context;
    this.#concurrency = hook.concurrency ?? context.limits.concurrency;
    const own = hook.rate === undefined ? null : new Rate(hook.rate, context.clock.now());
    this.#rates = own === null && context.targetRate === null ? [] : [own, context.targetRate];
  }

  get group(): string {
    return this.#context.group;
  }
  get inFlight(): number {
    return this.#inFlight;
  }
  get queued(): number {
    return this.#queue.length + this.#retries.length;
  }
  /** When the oldest new delivery in memory was emitted, in milliseconds since the epoch; null: none is queued. */
  get oldestQueuedAt(): number | null {
    return this.#queue.first?.at ?? null;
  }
  get handler(): HookHandler {
    return this.#handler;
  }

  /** A delivery that was stored just now. */
  offer(delivery: Delivery): void {
    // Another process makes it. Kept here, it would take the room of those that are ours.
    if (this.#behind || this.#epoch() === null || this.#full()) {
      this.#behind = true;
      this.#missed = true;
      return;
    }
    // It was read meanwhile, before its commit came back here: then it is queued, or even made.
    if (delivery.seq <= this.#cursor) return;
    this.#cursor = delivery.seq;
    this.#hold(this.#queue, delivery);
  }

  /** The store may have deliveries that were not offered (start, another process), also below the latest ones. */
  lookAgain(): void {
    this.#behind = true;
    this.#missed = true;
    this.#cursor = this.#base;
    this.lookForDue();
  }

  /**
   * The right to deliver ended or came. Another process may have made the deliveries that are queued here, and may have
   * left older ones behind. The store says what there is.
   */
  reset(): void {
    this.#turn += 1;
    for (const queue of [this.#retries, this.#queue]) {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        this.#known.delete(one.seq);
        this.#context.held.leave(one);
      }
    }
    this.#lookFromTheStart();
  }

  /** Deliveries were made due (replay). */
  lookForDue(): void {
    this.#nextDue = 0;
    this.pump();
  }

  /** The result of an attempt is stored. */
  stored(seq: number): void {
    this.#known.delete(seq);
    if (this.#loading) this.#ended.add(seq);
  }

  /** The result of an attempt was not stored: the delivery is still to be made, by whoever has the right to. */
  fenced(seq: number): void {
    this.#known.delete(seq);
    this.#lookFromTheStart();
  }

  /** A delivery was stored as waiting until `due`. */
  waitsUntil(due: number): void {
    if (this.#nextDue === null || due < this.#nextDue) this.#nextDue = due;
    this.#arm();
  }

  /** Starts what may be started now. */
  readonly pump = (): void => {
    const { gate, clock } = this.#context;
    const epoch = this.#epoch();
    if (this.#closed || this.#gone || this.hook.enabled === false || epoch === null) return;
    this.#load(epoch);
    while (this.#inFlight < this.#concurrency && this.queued > 0) {
      if (gate !== null && !gate.enter(this.pump)) return;
      const wait = this.#rates.length === 0 ? 0 : takeFrom(this.#rates, clock.now());
      if (wait > 0) {
        this.#armAt(clock.now() + wait);
        gate?.leave();
        return;
      }
      const delivery = this.#retries.shift() ?? this.#queue.shift();
      if (delivery === undefined) return;
      this.#start(delivery, epoch);
    }
    this.#load(epoch);
  };

  /** Takes over what an older lane of the hook has queued. That lane itself ends what it has in flight. */
  inherit(older: Lane): void {
    older.#heir = this;
    this.#cursor = older.#cursor;
    this.#base = older.#base;
    this.#known = older.#known;
    for (let one = older.#retries.shift(); one !== undefined; one = older.#retries.shift())
      this.#retries.push(one);
    for (let one = older.#queue.shift(); one !== undefined; one = older.#queue.shift()) this.#queue.push(one);
  }

  /** No more starts; resolves when nothing is in flight any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#context.clock.clearTimeout(this.#timer);
    for (const queue of [this.#retries, this.#queue])
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) this.#context.held.leave(one);
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#handler.close();
  }

  /** The lane that is in force now reads everything that the store has. */
  #lookFromTheStart(): void {
    if (this.#heir !== null) {
      this.#heir.#lookFromTheStart();
      return;
    }
    this.#base = 0;
    this.lookAgain();
  }

  #epoch(): number | null {
    return this.#context.epoch(this.#context.group);
  }

  /** @param epoch another one may be in force when the attempt ends */
  #start(delivery: Delivery, epoch: number): void {
    this.#inFlight += 1;
    const startedAt = performance.now();
    // A handler that breaks its word and rejects fails its delivery, and nothing else.
    const failed = (error: unknown): Outcome => ({
      ok: false,
      status: null,
      error: messageOf(error),
      response: null,
    });
    // A payload that the file has lost is given up. It must not reach a target as garbage.
    const attempt = whole(delivery.payload) ? this.#handler.attempt(delivery) : Promise.resolve(lost);
    void attempt.catch(failed).then((outcome) => {
      this.#inFlight -= 1;
      this.#context.held.leave(delivery);
      if (outcome.gone === true) this.#gone = true;
      this.#context.gate?.leave();
      this.#context.onAttempt(this, { delivery, epoch, outcome, latencyMs: performance.now() - startedAt });
      if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
      this.pump();
    });
  }

  #hold(queue: PayloadQueue<Delivery>, delivery: Delivery): void {
    this.#known.add(delivery.seq);
    this.#context.held.take(delivery);
    queue.push(delivery);
  }

  /** Payload characters that may be read; one delivery is always read. */
  #roomFor(queue: PayloadQueue<Delivery>): number {
    return Math.max(1, Math.min(this.#context.limits.queueSize - queue.size, this.#context.held.room));
  }

  #full(): boolean {
    const { queueLength, queueSize } = this.#context.limits;
    // However much other lanes hold, each lane may have one delivery.
    const crowded = this.#context.held.room <= 0 && this.queued + this.#inFlight > 0;
    return crowded || this.#queue.length >= queueLength || this.#queue.size >= queueSize;
  }

  /** Reads from the store when there is room and something to read. */
  #load(epoch: number): void {
    const due =
      this.#nextDue !== null && this.#nextDue <= this.#context.clock.now() && this.#retries.length === 0;
    const more = this.#behind && this.#queue.length <= this.#context.limits.queueLength / 4 && !this.#full();
    if (this.#loading || this.#closed || (!due && !more)) return;
    this.#loading = true;
    this.#read(due, more, epoch).then(
      () => {
        this.#loading = false;
        this.#arm();
        this.pump();
      },
      (error: unknown) => {
        this.#loading = false;
        this.#armAt(this.#context.clock.now() + 1000);
        this.#context.onProblem(error);
      },
    );
  }

  async #read(due: boolean, more: boolean, epoch: number): Promise<void> {
    const { store, clock, limits } = this.#context;
    const turn = this.#turn;
    if (due) {
      this.#nextDue = null;
      try {
        const taken = await store.takeDue(
          this.hook.id,
          epoch,
          clock.now(),
          retriesAtOnce,
          this.#roomFor(this.#retries),
        );
        // The store counts what it has given as pending, and it may lie below the place to which the heir has read.
        if (this.#closed && taken.length > 0 && this.#heir !== null) this.#heir.#lookFromTheStart();
        if (turn !== this.#turn || this.#closed) return;
        for (const one of taken) this.#hold(this.#retries, one);
        const next = await store.nextDue(this.hook.id);
        if (next !== null) this.waitsUntil(next);
      } catch (error) {
        this.#nextDue = 0;
        // It may have given all the same what lies below the place to which was read.
        this.#lookFromTheStart();
        throw error;
      }
    }
    if (!more) return;
    const room = Math.max(1, limits.queueLength - this.#queue.length);
    this.#missed = false;
    this.#ended.clear();
    const from = this.#cursor;
    const size = this.#roomFor(this.#queue);
    const found = await store.pending(this.hook.id, from, room, size);
    // Meanwhile the lane was told to look again from further back.
    if (turn !== this.#turn || this.#cursor !== from || this.#closed) return;
    for (const one of found) {
      if (this.#full()) return;
      this.#cursor = one.seq;
      if (this.#known.has(one.seq) || this.#ended.has(one.seq)) continue;
      this.#hold(this.#queue, one);
    }
    // The result may lack an offer that came while the store was read.
    const all = found.length < room && found.reduce((sum, one) => sum + one.payload.length, 0) < size;
    if (all && !this.#missed) {
      this.#behind = false;
      this.#base = this.#cursor;
    }
  }

  #arm(): void {
    if (this.#nextDue !== null) this.#armAt(this.#nextDue);
  }
  #armAt(at: number): void {
    const { clock } = this.#context;
    if (this.#closed || (this.#timer !== null && this.#timerAt <= at)) return;
    clock.clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = clock.setTimeout(
      () => {
        this.#timer = null;
        this.pump();
      },
      Math.max(1, at - clock.now()),
    );
  }
}
