import { messageOf } from '../../base/errors.ts';
import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import { everything, effectsOf } from '../../pdk/events/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import type { Asked } from './asked.ts';
import type { CallLane } from './call-lane.ts';
import { CallMerger } from './call-merger.ts';
import { PhaseEvent } from './event.ts';
import type { RunningInstance } from './host.ts';
import { PendingCall, rejected } from './pending-call.ts';
import type { AnswerOrder, Decode } from './pending-call.ts';
import type { PrefetchLearner } from './prefetch-learner.ts';
import { isPlannable } from './prefetch-plan.ts';
import type { PrefetchPlan } from './prefetch-plan.ts';
import type { Prefetch } from './prefetch.ts';
import type { Runtime } from './runtime.ts';

/**
 * An event whose calls go through what is known of the handler, and then through a merger, before they leave. Where neither
 * has to do with a call, it leaves at once.
 */
export abstract class MergingEvent extends PhaseEvent implements CallLane, AnswerOrder {
  releasing = false;
  firstUnsettled: PendingCall | null = null;
  lastUnsettled: PendingCall | null = null;
  /** What is known about the handler; null once the event has begun to ask, or has changed what it could ask for. */
  #learner: PrefetchLearner | null;
  #prefetch: Prefetch | null = null;
  #merger: CallMerger | null = null;
  /** Parts that the plugin may have changed. */
  #changed = 0;

  /** See PhaseEvent. */
  constructor(runtime: Runtime, instance: RunningInstance, phase: Phase, ticket = 0, eventId = 0) {
    super(runtime, instance, phase, ticket, eventId);
    this.#learner = instance.prefetch?.of(phase) ?? null;
  }

  abstract sayCall(call: Asked, args: readonly unknown[]): void;
  abstract saySend(row: FunctionRow, args: readonly unknown[]): void;
  abstract planTurn(): void;

  /** The handler has made the first call of a plan. */
  protected abstract planBegun(prefetch: Prefetch, plan: PrefetchPlan): void;
  /**
   * The handler asks for a call of the plan.
   * @param first whether it is the first one
   * @returns false where the plan has nothing to do with it over this protocol
   */
  protected abstract planned(prefetch: Prefetch, plan: PrefetchPlan, at: number, first: boolean): boolean;
  /** Whether somebody waits for what has left. */
  protected abstract hasWaitingCalls(): boolean;
  /** Rejects the calls that have left. */
  protected abstract rejectSaid(reason: KongTsError): void;

  ask(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown> {
    if (this.ended) return rejected(this.endedError(row));
    this.countCall();
    return this.#foreseen(row, args, decode) ?? this.#ask(row, args, decode);
  }

  send(row: FunctionRow, args: readonly unknown[]): void {
    if (this.ended) throw this.endedError(row);
    this.#changes(effectsOf(row).changes);
    const merger = this.#mergerFor(row);
    if (merger === null) this.saySend(row, args);
    else merger.tell(row, args);
    this.countSend();
  }

  lost(row: FunctionRow, error: unknown): void {
    this.runtime.host.log.error(`${row.name} could not be sent: ${messageOf(error)}`, {
      plugin: this.instance.plugin.name,
      phase: this.phase,
      instance: this.instance.id,
    });
  }

  /** A plural of the plan is on its way, whose answer may not tell everything. */
  protected owe(part: number, asked: Asked): void {
    (this.#merger ?? this.#newMerger()).owe(part, asked);
  }

  /** Everything that ran in this turn has had its say. */
  protected turnEnded(): void {
    this.#merger?.turnEnded();
  }

  /** The end of the event is said next: what is held leaves before it. */
  protected finishCalls(): void {
    this.#changes(everything);
    this.#merger?.finish();
  }

  protected rejectCalls(reason: KongTsError | null): void {
    this.#changes(everything);
    this.#merger = null;
    if (this.firstUnsettled === null && !this.hasWaitingCalls()) return;
    const error = reason ?? this.unanswered();
    PendingCall.rejectAll(this, error);
    this.rejectSaid(error);
  }

  #ask(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown> {
    this.#changes(effectsOf(row).changes);
    const call = new PendingCall(row, args, decode, this);
    const merger = this.#mergerFor(row);
    if (merger === null) {
      try {
        this.sayCall(call, args);
      } catch (error) {
        call.reject(error);
      }
    } else merger.ask(call);
    return call.promise;
  }

  /** Null while nothing is, or is to be, held or merged. */
  #mergerFor(row: FunctionRow): CallMerger | null {
    if (this.#merger !== null || this.instance.merges !== true) return this.#merger;
    return CallMerger.concerns(row) ? this.#newMerger() : null;
  }

  #newMerger(): CallMerger {
    return (this.#merger = new CallMerger(this.phase, this));
  }

  /** The answer to a call of a plan, null when the call has to be made. */
  #foreseen(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown> | null {
    if (!isPlannable(row, args)) return null;
    const first = this.#learner !== null;
    if (first) this.#begin(row, args);
    const prefetch = this.#prefetch;
    if (prefetch === null) return null;
    const at = prefetch.take(row, args);
    const { plan } = prefetch;
    if (at < 0 || plan === null || !this.planned(prefetch, plan, at, first)) return null;
    if (prefetch.sharesFrame(at)) this.countMerged(1);
    return prefetch.answer(at, row, args, decode, this);
  }

  #begin(row: FunctionRow, args: readonly unknown[]): void {
    const learner = this.#learner;
    this.#learner = null;
    if (learner === null || (this.#changed & effectsOf(row).reads) !== 0) return;
    const prefetch = learner.begin(row, args, (again) => this.#merger?.told(again));
    this.#prefetch = prefetch;
    if (prefetch === null) return;
    if (this.#changed !== 0) prefetch.close(this.#changed);
    if (prefetch.plan !== null) this.planBegun(prefetch, prefetch.plan);
  }

  /** Notes that later questions come after a change of these parts. */
  #changes(parts: number): void {
    if (parts === 0) return;
    this.#changed |= parts;
    if (this.#changed === everything) this.#learner = null;
    this.#prefetch?.close(parts);
  }
}
