import type { KongTsError } from '../../errors.ts';
import type { FunctionRow } from '../../pdk/catalogue.ts';
import type { Phase } from '../../pdk/phases.ts';
import { PhaseEvent } from './event.ts';
import type { RunningInstance } from './host.ts';
import { rejected } from './pending-call.ts';
import type { Decode } from './pending-call.ts';
import type { ProtobufConnection } from './protobuf-connection.ts';

/** An event over ProtoBuf:1. It lives on the connection that Kong opened it on, and ends with it. */
export class ProtobufEvent extends PhaseEvent {
  readonly protocol = 'protobuf';
  readonly sequence: number | bigint;
  readonly #connection: ProtobufConnection;

  constructor(
    connection: ProtobufConnection,
    instance: RunningInstance,
    phase: Phase,
    sequence: number | bigint,
  ) {
    super(connection.runtime, instance, phase);
    this.#connection = connection;
    this.sequence = sequence;
  }

  ask(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown> {
    if (this.ended) return rejected(this.endedError(row));
    try {
      const answer = this.#connection.writeCall(row, args, decode);
      this.countCall();
      return answer;
    } catch (error) {
      return rejected(error);
    }
  }

  send(row: FunctionRow, args: readonly unknown[]): void {
    if (this.ended) throw this.endedError(row);
    this.#connection.writeSend(row, args);
    this.countSend();
  }

  protected sendExit(row: FunctionRow, args: readonly unknown[]): void {
    this.#connection.writeExit(this, row, args);
  }

  protected sendDone(): void {
    this.#connection.writeDone(this);
  }

  protected left(): void {
    this.#connection.eventEnded();
  }

  protected rejectCalls(reason: KongTsError | null): void {
    if (this.#connection.hasWaitingCalls()) this.#connection.rejectCalls(reason ?? this.unanswered());
  }

  protected waitingForKong(): string | null {
    const row = this.#connection.waitsFor();
    return row === null ? null : `Kong has not answered ${row.name}`;
  }
}
