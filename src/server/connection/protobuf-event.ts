import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import type { Asked } from './asked.ts';
import type { RunningInstance } from './host.ts';
import { MergingEvent } from './merging-event.ts';
import { rejected } from './pending-call.ts';
import type { Decode } from './pending-call.ts';
import type { PrefetchPlan } from './prefetch-plan.ts';
import type { Prefetch } from './prefetch.ts';
import type { ProtobufCalls, Sequence } from './protobuf-calls.ts';
import type { Runtime } from './runtime.ts';

/** What an event needs of the session that it runs in. */
export interface ProtobufEventSession {
  readonly runtime: Runtime;
  /** See SessionConnection. */
  readonly ticket: number;
  readonly calls: ProtobufCalls;
  /** True if the end of the event is to leave after everything else, because it makes Kong let go of the connection. */
  readonly endsWithEvent: boolean;
  /** The event has written its last word: sends it and goes on with the next command. */
  eventEnded(): void;
}

/** An event over ProtoBuf:1. It lives on the connection that Kong opened it on, and ends with it. */
export class ProtobufEvent extends MergingEvent {
  readonly protocol = 'protobuf';
  readonly sequence: Sequence;
  readonly #session: ProtobufEventSession;

  constructor(session: ProtobufEventSession, instance: RunningInstance, phase: Phase, sequence: Sequence) {
    super(session.runtime, instance, phase, session.ticket);
    this.#session = session;
    this.sequence = sequence;
  }

  askLast(row: FunctionRow, args: readonly unknown[], decode: Decode): Promise<unknown> {
    if (!this.mayEndEarly() || this.#session.endsWithEvent) return this.ask(row, args, decode);
    try {
      const answer = this.#session.calls.writeLast(this.sequence, row, args, decode, this);
      this.endEarly();
      this.countCall();
      return answer;
    } catch (error) {
      return rejected(error);
    }
  }

  sayCall(call: Asked, args: readonly unknown[]): void {
    this.#session.calls.writeCall(call, args);
  }

  saySend(row: FunctionRow, args: readonly unknown[]): void {
    this.#session.calls.writeSend(row, args);
  }

  planTurn(): void {
    this.#session.calls.flushWithTurn();
  }

  /** The turn is over, and what it has said leaves. */
  flushing(): void {
    this.turnEnded();
  }

  /** Kong takes calls that it is not waiting for: all of the plan leave at once. */
  protected planBegun(prefetch: Prefetch, plan: PrefetchPlan): void {
    this.#session.calls.writeAhead(prefetch, plan, (part, asked) => this.owe(part, asked));
    this.countPrefetched(plan.calls.length - 1);
  }

  protected planned(_prefetch: Prefetch, _plan: PrefetchPlan, _at: number, first: boolean): boolean {
    if (!first) this.countPrefetchUsed();
    return true;
  }

  protected sendExit(row: FunctionRow, args: readonly unknown[]): void {
    this.#session.calls.writeExit(this.sequence, row, args, () => this.finishCalls());
  }

  protected sendDone(): void {
    this.finishCalls();
    this.#session.calls.writeDone(this.sequence);
  }

  protected left(): void {
    this.#session.eventEnded();
  }

  protected hasWaitingCalls(): boolean {
    return this.#session.calls.hasWaitingCalls();
  }

  protected rejectSaid(reason: KongTsError): void {
    this.#session.calls.rejectCalls(reason);
  }

  protected waitingForKong(): string | null {
    const row = this.#session.calls.waitsFor();
    return row === null ? null : `Kong has not answered ${row.name}`;
  }
}
