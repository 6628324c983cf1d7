import type { Buffer } from 'node:buffer';
import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import { writeEventEnd, Writer } from '../../wire/protobuf/index.ts';
import { resolveWith } from './answers.ts';
import type { Asked } from './asked.ts';
import { PendingCall } from './pending-call.ts';
import type { AnswerOrder, Decode } from './pending-call.ts';
import { PlannedAnswer } from './planned-answer.ts';
import type { Prefetch } from './prefetch.ts';
import type { PrefetchPlan } from './prefetch-plan.ts';
import { writePair } from './protobuf-pair.ts';
import type { SessionConnection } from './session.ts';

/** Setters and logs wait for the next getter up to this many bytes; then they leave with the turn. */
const maxHeldBytes = 64 * 1024;

/** The place of an answer that nobody reads. */
const discard = Symbol('discard');
/** The place of the answer to an exit, which Kong never gives when the exit worked. */
const exit = Symbol('exit');

const settled = Promise.resolve();

/** The number by which Kong knows the command that began an event. */
export type Sequence = number | bigint;

/**
 * What leaves on a connection of ProtoBuf:1, and the calls in it that Kong has yet to answer. Kong answers them in order,
 * and they outlive their event. What is queued in one turn leaves in one write.
 */
export class ProtobufCalls {
  readonly #connection: SessionConnection;
  /** Whether a command is being worked on. */
  readonly #busy: () => boolean;
  readonly #flushing: () => void;
  #out = new Writer(1024);
  /** Calls that Kong has yet to answer, from `#answered` on. */
  #calls: (Asked | typeof discard | typeof exit)[] = [];
  #answered = 0;
  /** The call whose answer is the last thing of its event. */
  #lastCall: Asked | null = null;
  #exited: Sequence = 0;
  #flushPlanned = false;
  readonly #planFlush = () => process.nextTick(this.#plannedFlush);
  readonly #plannedFlush = () => {
    this.#flushing();
    this.#flushPlanned = false;
    this.flush();
  };

  /**
   * @param busy whether a command is being worked on; if so, what leaves is not the answer to a command
   * @param flushing called when a turn is over, before what it has said leaves
   */
  constructor(connection: SessionConnection, busy: () => boolean, flushing: () => void) {
    this.#connection = connection;
    this.#busy = busy;
    this.#flushing = flushing;
  }

  /** True while Kong has yet to answer calls: what it sends next is an answer. */
  get due(): boolean {
    return this.#answered < this.#calls.length;
  }

  /** Queues a call; everything that is queued in one turn leaves in one write. */
  writeCall(call: Asked, args: readonly unknown[]): void {
    writePair(this.#out, call.row, args);
    this.#calls.push(call);
    this.flushWithTurn();
  }

  /**
   * Queues a call and the end of its event, which is over once the answer has come.
   * @throws KongTsError where the call cannot be written; then nothing was said
   */
  writeLast(
    sequence: Sequence,
    row: FunctionRow,
    args: readonly unknown[],
    decode: Decode,
    order: AnswerOrder,
  ): Promise<unknown> {
    const call = new PendingCall(row, args, decode, order);
    try {
      this.writeCall(call, args);
    } catch (error) {
      call.reject(error);
      throw error;
    }
    this.#lastCall = call;
    writeEventEnd(this.#out, sequence);
    return call.promise;
  }

  /** Queues all frames of a plan. @param plural called with each that is a plural */
  writeAhead(prefetch: Prefetch, plan: PrefetchPlan, plural: (part: number, asked: Asked) => void): void {
    this.#out.bytes(plan.bytes);
    for (const frame of plan.frames) {
      const asked = new PlannedAnswer(prefetch, frame);
      this.#calls.push(asked);
      if (frame.plural !== null) plural(frame.plural.part, asked);
    }
    this.flushWithTurn();
  }

  /** Queues a call whose answer carries nothing; leaves with the next call or the event's end. */
  writeSend(row: FunctionRow, args: readonly unknown[]): void {
    writePair(this.#out, row, args);
    this.#calls.push(discard);
    if (this.#out.position > maxHeldBytes) this.flushWithTurn();
  }

  /**
   * Queues the call that ends the request, behind all that is held.
   * @param before says what is held
   * @throws KongTsError where it cannot be written; then nothing was said
   */
  writeExit(sequence: Sequence, row: FunctionRow, args: readonly unknown[], before: () => void): void {
    const written = new Writer();
    writePair(written, row, args);
    before();
    this.#out.bytes(written.view());
    this.#calls.push(exit);
    this.#exited = sequence;
  }

  /** Queues the end of an event. */
  writeDone(sequence: Sequence): void {
    writeEventEnd(this.#out, sequence);
  }

  /** True when somebody waits for one of Kong's answers. */
  hasWaitingCalls(): boolean {
    for (let at = this.#answered; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (typeof call === 'object' && call.waitsFor !== null) return true;
    }
    return false;
  }

  /** Rejects the calls that still wait. Their answers will be read and dropped. */
  rejectCalls(reason: KongTsError): void {
    for (let at = this.#answered; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (typeof call !== 'object') continue;
      call.reject(reason);
      // The rest of a plan has something to tell even when the event is over.
      if (!(call instanceof PlannedAnswer)) this.#calls[at] = discard;
    }
  }

  /** The call that Kong has to answer next. Null if there is none, or if nobody waits for it. */
  waitsFor(): FunctionRow | null {
    for (let at = this.#answered; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (typeof call !== 'object') return null;
      if (!(call instanceof PlannedAnswer) || call.waitsFor !== null) return call.waitsFor;
    }
    return null;
  }

  /** Queues an answer to a command. */
  writeAnswer(answer: Buffer): void {
    const mark = this.#out.beginFrame();
    this.#out.bytes(answer);
    this.#out.endFrame(mark);
  }

  /** The event has written its last word: sends it. */
  eventEnded(): void {
    this.#lastCall = null;
    this.flush();
  }

  /** Kong has dropped the connection in place of the next answer. After an exit, no answer was expected. */
  dropped(): void {
    const next = this.#calls[this.#answered];
    if (next instanceof PlannedAnswer && !this.#connection.draining && !this.#calls.includes(exit))
      next.dropped();
  }

  /** No answer is going to come. */
  forget(): void {
    this.#calls.length = 0;
    this.#answered = 0;
  }

  /** Kong has answered the next call. @returns true when that was the last thing of its event */
  answer(frame: Buffer): boolean {
    const call = this.#calls[this.#answered++];
    if (this.#answered === this.#calls.length) {
      this.#calls.length = 0;
      this.#answered = 0;
    }
    if (typeof call === 'object') {
      if (call.wanted) resolveWith(call, frame);
      if (call !== this.#lastCall) return false;
      this.#lastCall = null;
      return true;
    }
    if (call === exit) {
      // Kong has not ended the request and goes on with the event: it has to be told that the event is over.
      writeEventEnd(this.#out, this.#exited);
      this.flush();
    }
    return false;
  }

  /** Sends what is queued. */
  flush(): void {
    const out = this.#out;
    const connection = this.#connection;
    if (out.position === 0 || connection.closing) return;
    // The answer to a command, not a call. The buffer can be used again if the system took all bytes at once.
    const last = !this.#busy() && this.#calls.at(-1) !== exit;
    const taken = last ? connection.answer(out.view(), 'protobuf') : connection.write(out.view());
    if (taken && out.buffer.length <= maxHeldBytes * 2) out.position = 0;
    else this.#out = new Writer(1024);
  }

  /** Plans a write for the end of this turn, after all its promises have run. */
  flushWithTurn(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    void settled.then(this.#planFlush);
  }
}
