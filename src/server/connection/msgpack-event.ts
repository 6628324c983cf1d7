import type { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import { encode } from '../../wire/msgpack/index.ts';
import type { Asked } from './asked.ts';
import type { DeadlineList, Timed } from './deadlines.ts';
import type { RunningInstance } from './host.ts';
import { MergingEvent } from './merging-event.ts';
import { PlannedAnswer } from './planned-answer.ts';
import type { PlannedFrame, PrefetchPlan } from './prefetch-plan.ts';
import type { Prefetch } from './prefetch.ts';
import { packedName } from './rows.ts';
import type { Runtime } from './runtime.ts';
import type { Responder, SteppedEvent } from './stepped-event.ts';
import type { Unstepped } from './unstepped-events.ts';

/** How long an event is kept that Kong does not step any more, in milliseconds. */
const abandonedAfterMs = 60_000;

/**
 * How long Kong may take for a call in the log phase, in milliseconds. There Kong has everything at hand. If Kong
 * raises at a call, it never answers, and nothing else tells the server.
 */
const logCallLimitMs = 5000;

/** Looks at one event's call in the log phase. */
class CallWatch implements Timed {
  deadlineAt = 0;
  deadlineList: DeadlineList | null = null;
  deadlinePrevious: Timed | null = null;
  deadlineNext: Timed | null = null;
  readonly expired: () => void;

  constructor(expired: () => void) {
    this.expired = expired;
  }
}

interface Call {
  readonly row: FunctionRow;
  /** Null where the answer carries nothing. */
  readonly asked: Asked | null;
}

const settled = Promise.resolve();

interface QueuedCall extends Call {
  readonly args: Buffer;
  /** An exit: Kong never steps the event after it. */
  readonly last: boolean;
}

/** An event over MsgPack:1: one call per step, kept by its id until it has ended or Kong has forgotten it. */
export class MsgpackEvent extends MergingEvent implements SteppedEvent, Unstepped {
  readonly protocol = 'msgpack';
  readonly id: number;
  #responder: Responder | null;
  #queue: QueuedCall[] = [];
  #sent = 0;
  /** The call that Kong is working on. */
  #current: Call | null = null;
  #done = false;
  #turnPlanned = false;
  /** Bits of the plan's frames that have been asked for. */
  #plannedFrames = 0;
  readonly #watch: CallWatch | null;

  answeredBytes = 0;
  unsteppedWeight = 0;
  unsteppedPrevious: Unstepped | null = null;
  unsteppedNext: Unstepped | null = null;

  constructor(runtime: Runtime, instance: RunningInstance, phase: Phase, responder: Responder) {
    const id = runtime.newEventId();
    super(runtime, instance, phase, 0, id);
    this.id = id;
    this.#responder = responder;
    this.#watch = phase === 'log' ? new CallWatch(() => this.#unanswered()) : null;
    runtime.steppedEvents.add(this);
  }

  get looksUp(): boolean {
    return this.#current?.asked?.looksUp === true;
  }

  sayCall(call: Asked, args: readonly unknown[]): void {
    this.#say(call.row, args, call);
  }

  saySend(row: FunctionRow, args: readonly unknown[]): void {
    this.#say(row, args, null);
  }

  planTurn(): void {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    void settled.then(() =>
      process.nextTick(() => {
        this.#turnPlanned = false;
        this.turnEnded();
      }),
    );
  }

  step(data: unknown, failed: boolean, responder: Responder, size: number): void {
    const call = this.#current;
    this.#current = null;
    this.answeredBytes += size;
    this.runtime.unsteppedEvents.remove(this);
    this.#responder = responder;
    if (this.#watch !== null) this.runtime.deadlines.remove(this.#watch);
    if (failed) this.#callFailed(call, data);
    else call?.asked?.resolve(data);
    this.#respond();
  }

  disconnected(responder: Responder): void {
    if (this.#responder !== responder) return;
    this.#responder = null;
    this.abandon('the connection was closed');
    this.#drop();
  }

  override expired(): void {
    if (this.ended) this.#drop();
    else super.expired();
  }

  /** Kong takes one call at a time: what the plan is worth is what one call answers of it. */
  protected planBegun(): void {}

  protected planned(prefetch: Prefetch, plan: PrefetchPlan, at: number): boolean {
    const place = plan.frameOf[at] as number;
    const frame = plan.frames[place] as PlannedFrame;
    if (frame.positions.length === 1) return false;
    if ((this.#plannedFrames & (1 << place)) !== 0) {
      this.countPrefetchUsed();
      return true;
    }
    this.#plannedFrames |= 1 << place;
    const asked = new PlannedAnswer(prefetch, frame);
    this.#say(frame.row, frame.args, asked);
    this.countPrefetched(frame.positions.length - 1);
    if (frame.plural !== null) this.owe(frame.plural.part, asked);
    return true;
  }

  protected sendExit(row: FunctionRow, args: readonly unknown[]): void {
    const exit = { row, args: encode(args), asked: null, last: true };
    this.finishCalls();
    this.#enqueue(exit);
  }

  protected sendDone(): void {
    this.finishCalls();
    this.#done = true;
    this.#respond();
  }

  /** Answers leave as soon as somebody waits for them. */
  protected left(): void {}

  protected hasWaitingCalls(): boolean {
    if (this.#current?.asked != null) return true;
    for (let at = this.#sent; at < this.#queue.length; at++) if (this.#queue[at]?.asked != null) return true;
    return false;
  }

  protected rejectSaid(reason: KongTsError): void {
    this.#current?.asked?.reject(reason);
    for (let at = this.#sent; at < this.#queue.length; at++) this.#queue[at]?.asked?.reject(reason);
  }

  protected waitingForKong(): string | null {
    if (this.#current === null) return null;
    const { name } = this.#current.asked?.waitsFor ?? this.#current.row;
    return `Kong never came back with the result of ${name}, as happens when it rejects a call`;
  }

  protected override end(reason?: KongTsError): void {
    super.end(reason);
    if (this.runtime.steppedEvents.has(this.id)) this.runtime.deadlines.add(this, abandonedAfterMs);
  }

  #callFailed(call: Call | null, data: unknown): void {
    if (call === null) return;
    const text = `Kong answered ${call.row.name} with an error: ${messageOf(data)}`;
    if (call.asked === null) this.runtime.host.log.warn(text, { plugin: this.instance.plugin.name });
    else call.asked.failed(new KongTsError('PDK_CALL_FAILED', text));
  }

  /** Writes a call at once if a peer waits for one, without a copy in between. Otherwise it queues the call. */
  #say(row: FunctionRow, args: readonly unknown[], asked: Asked | null): void {
    const responder = this.#responder;
    if (responder === null || this.#queue.length > 0) {
      this.#enqueue({ row, args: encode(args), asked, last: false });
      return;
    }
    this.#responder = null;
    this.#current = { row, asked };
    try {
      responder.respondCall(this.id, packedName(row), args);
      this.#waitForKong();
    } catch (error) {
      this.#responder = responder;
      this.#current = null;
      throw error;
    }
  }

  #enqueue(call: QueuedCall): void {
    this.#queue.push(call);
    this.#respond();
  }

  /** Says the next word when somebody waits for it and there is one. */
  #respond(): void {
    const responder = this.#responder;
    if (responder === null) return;
    const call = this.#queue[this.#sent];
    if (call !== undefined) {
      this.#sent++;
      if (this.#sent === this.#queue.length) {
        this.#queue = [];
        this.#sent = 0;
      }
      this.#responder = null;
      this.#current = call;
      if (call.last) this.#drop();
      else this.#waitForKong();
      responder.respondCall(this.id, packedName(call.row), call.args);
    } else if (this.#done) {
      this.#responder = null;
      this.#drop();
      responder.respondDone(this.id);
    }
  }

  /** Too many events wait for Kong. */
  givenUp(): void {
    this.runtime.host.log.error(
      'An event was given up: Kong does not go on with the events that it begins.',
      {
        plugin: this.instance.plugin.name,
        phase: this.phase,
        instance: this.instance.id,
        code: 'PDK_CALL_FAILED',
      },
    );
    this.abandon('too many events wait for its answers, and this one has waited longest');
    this.#drop();
  }

  #waitForKong(): void {
    this.runtime.unsteppedEvents.add(this);
    if (this.#watch !== null) this.runtime.deadlines.add(this.#watch, logCallLimitMs);
  }

  /** Kong will not step this event any more. Everything that waits for it gets the reason. */
  #unanswered(): void {
    const { name } = this.#current?.row ?? { name: 'a call' };
    this.runtime.host.log.error(`Kong has not answered ${name} in a log phase, as happens when it raises.`, {
      plugin: this.instance.plugin.name,
      phase: this.phase,
      instance: this.instance.id,
      code: 'PDK_CALL_FAILED',
    });
    this.abandon(
      `Kong has not answered ${name} for ${logCallLimitMs / 1000} seconds, as happens when it raises`,
    );
    this.#drop();
  }

  #drop(): void {
    if (this.#watch !== null) this.runtime.deadlines.remove(this.#watch);
    this.runtime.steppedEvents.delete(this.id);
    this.runtime.unsteppedEvents.remove(this);
    this.runtime.deadlines.remove(this);
  }
}
