import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/catalogue.ts';
import type { Phase } from '../../pdk/phases.ts';
import { PhaseEvent } from './event.ts';
import type { RunningInstance } from './host.ts';
import { rejected } from './pending-call.ts';
import type { Decode } from './pending-call.ts';
import type { Prefetch } from './prefetch.ts';
import type { PrefetchLearner } from './prefetch-learner.ts';
import { isPlannable, mayChange } from './prefetch-plan.ts';
import type { ProtobufCalls, Sequence } from './protobuf-calls.ts';
import type { Runtime } from './runtime.ts';

/** What an event needs of the session that it runs in. */
export interface ProtobufEventSession {
  readonly runtime: Runtime;
  /** See SessionConnection. */
  readonly ticket: number;
  readonly calls: ProtobufCalls;
  /** True where the end of the event is to leave after everything else: Kong is made to let go of the connection with it. */
  readonly endsWithEvent: boolean;
  /** The event has written its last word: sends it and goes on with the next command. */
  eventEnded(): void;
}

/** An event over ProtoBuf:1. It lives on the connection that Kong opened it on, and ends with it. */
export class ProtobufEvent extends PhaseEvent {
  readonly protocol = 'protobuf';
  readonly sequence: Sequence;
  readonly #session: ProtobufEventSession;
  /** What is known about the handler; null once the event has begun to ask, or has set something. */
  #learner: PrefetchLearner | null;
  #prefetch: Prefetch | null = null;

  constructor(session: ProtobufEventSession, instance: RunningInstance, phase: Phase, sequence: Sequence) {
    super(session.runtime, instance, phase, session.ticket);
    this.#session = session;
    this.sequence = sequence;
    this.#learner = instance.prefetch?.of(phase) ?? null;
  }

  ask(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown> {
    if (this.ended) return rejected(this.endedError(row));
    try {
      const answer = this.#foreseen(row, args, decode) ?? this.#session.calls.writeCall(row, args, decode);
      this.countCall();
      return answer;
    } catch (error) {
      return rejected(error);
    }
  }

  askLast(row: FunctionRow, args: readonly unknown[], decode: Decode): Promise<unknown> {
    if (!this.mayEndEarly() || this.#session.endsWithEvent) return this.ask(row, args, decode);
    try {
      const answer = this.#session.calls.writeLast(this.sequence, row, args, decode);
      this.endEarly();
      this.countCall();
      return answer;
    } catch (error) {
      return rejected(error);
    }
  }

  send(row: FunctionRow, args: readonly unknown[]): void {
    if (this.ended) throw this.endedError(row);
    if (mayChange(row)) this.#mayHaveChanged();
    this.#session.calls.writeSend(row, args);
    this.countSend();
  }

  /** The answer to a call of a plan, null when the call has to be sent. */
  #foreseen(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown> | null {
    if (!isPlannable(row, args)) {
      if (mayChange(row)) this.#mayHaveChanged();
      return null;
    }
    const first = this.#learner !== null;
    if (this.#learner !== null) {
      this.#prefetch = this.#learner.begin(row, args);
      this.#learner = null;
    }
    const prefetch = this.#prefetch;
    if (prefetch === null) return null;
    const at = prefetch.take(row, args);
    if (at < 0) return null;
    if (!first) this.countPrefetchUsed();
    else if (prefetch.plan !== null) {
      this.#session.calls.writeAhead(prefetch, prefetch.plan);
      this.countPrefetched(prefetch.plan.calls.length - 1);
    }
    return prefetch.answer(at, row, decode);
  }

  #mayHaveChanged(): void {
    this.#learner = null;
    this.#prefetch?.close();
  }

  protected sendExit(row: FunctionRow, args: readonly unknown[]): void {
    this.#mayHaveChanged();
    this.#session.calls.writeExit(this.sequence, row, args);
  }

  protected sendDone(): void {
    this.#session.calls.writeDone(this.sequence);
  }

  protected left(): void {
    this.#session.eventEnded();
  }

  protected rejectCalls(reason: KongTsError | null): void {
    this.#mayHaveChanged();
    if (this.#session.calls.hasWaitingCalls()) this.#session.calls.rejectCalls(reason ?? this.unanswered());
  }

  protected waitingForKong(): string | null {
    const row = this.#session.calls.waitsFor();
    return row === null ? null : `Kong has not answered ${row.name}`;
  }
}
