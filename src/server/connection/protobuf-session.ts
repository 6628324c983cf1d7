import { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/catalogue.ts';
import { phases, type Phase } from '../../pdk/phases.ts';
import { FrameDecoder } from '../../wire/protobuf/framing.ts';
import {
  decodeRpcCall,
  encodeRpcReturn,
  glimpseRpcCall,
  writeEventEnd,
} from '../../wire/protobuf/server-side.ts';
import type { RpcCall, RpcResult } from '../../wire/protobuf/messages.ts';
import { Writer } from '../../wire/protobuf/writer.ts';
import { eventAborted } from './abort.ts';
import { resolveWith } from './answers.ts';
import { brokenInstance } from './broken-instance.ts';
import type { KongConnection } from './connection.ts';
import type { RunningInstance, StartedInstance } from './host.ts';
import { PendingCall, type Decode } from './pending-call.ts';
import { Prefetch } from './prefetch.ts';
import type { PrefetchPlan } from './prefetch-plan.ts';
import { ProtobufEvent } from './protobuf-event.ts';
import { writePair } from './protobuf-pair.ts';
import { statusOf } from './start-answer.ts';
import type { AskedStart } from './start-answer.ts';
import type { Runtime } from './runtime.ts';

/** Setters and logs wait for the next getter up to this many bytes; then they leave with the turn. */
const MAX_HELD_BYTES = 64 * 1024;

/** The place of an answer that nobody reads. */
const DISCARD = Symbol('discard');
/** The place of the answer to an exit, which Kong never gives when the exit worked. */
const EXIT = Symbol('exit');

const settled = Promise.resolve();
const known: ReadonlySet<string> = new Set(phases);

/** What a connection does in ProtoBuf:1: at most one event runs on it, and Kong answers its calls in order. */
export class ProtobufSession {
  readonly #connection: KongConnection;
  readonly #decoder: FrameDecoder;
  #out = new Writer(1024);
  /** Calls that Kong has yet to answer, from `#answered` on. They outlive their event. */
  #calls: (PendingCall | Prefetch | typeof DISCARD | typeof EXIT)[] = [];
  #answered = 0;
  #event: ProtobufEvent | null = null;
  /** The call whose answer is the last thing of its event. */
  #lastCall: PendingCall | null = null;
  #exited: number | bigint = 0;
  /** A command is being worked on that is no event. */
  #waiting = false;
  #flushPlanned = false;
  readonly #planFlush = () => process.nextTick(this.#plannedFlush);
  readonly #plannedFlush = () => {
    this.#flushPlanned = false;
    this.#flush();
  };

  constructor(connection: KongConnection) {
    this.#connection = connection;
    this.#decoder = new FrameDecoder({
      maxFrameBytes: connection.runtime.host.maxFrameBytes,
      skips: () => this.answersDue,
    });
  }

  get runtime(): Runtime {
    return this.#connection.runtime;
  }

  /** See KongConnection. */
  get ticket(): number {
    return this.#connection.ticket;
  }

  /** True while Kong has yet to answer calls: what it sends next is an answer. */
  get answersDue(): boolean {
    return this.#answered < this.#calls.length;
  }

  /** True while an event runs that Kong has not been told the end of. */
  get running(): boolean {
    return this.#event !== null;
  }

  /** True while a command is being worked on. */
  get busy(): boolean {
    return this.#event !== null || this.#waiting;
  }

  /** True in the middle of a frame. */
  get partial(): boolean {
    return this.#decoder.partial;
  }

  /**
   * Reads from `at` to the end of a frame and handles it, or to the end of the bytes.
   * @returns where it has stopped
   * @throws KongTsError FRAME_TOO_LARGE, FRAME_MALFORMED
   */
  take(bytes: Buffer, at: number): number {
    const end = this.#decoder.take(bytes, at);
    const { frame } = this.#decoder;
    if (frame !== null) {
      if (this.answersDue) this.#readAnswer(frame);
      else this.#readCommand(frame);
    }
    return end;
  }

  /** @throws KongTsError FRAME_TRUNCATED when the stream ended inside a frame */
  endOfStream(): void {
    this.#decoder.end();
  }

  /** Queues a call; everything that is queued in one turn leaves in one write. */
  writeCall(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown> {
    writePair(this.#out, row, args);
    const call = new PendingCall(row, decode);
    this.#calls.push(call);
    this.#flushWithTurn();
    return call.promise;
  }

  /** Queues a call and the end of its event, which is over once the answer has come. */
  writeLast(
    event: ProtobufEvent,
    row: FunctionRow,
    args: readonly unknown[],
    decode: Decode,
  ): Promise<unknown> {
    const answer = this.writeCall(row, args, decode);
    this.#lastCall = this.#calls.at(-1) as PendingCall;
    writeEventEnd(this.#out, event.sequence);
    return answer;
  }

  /** True where the end of the event is to leave after everything else: Kong is made to let go of the connection with it. */
  get endsWithEvent(): boolean {
    return this.#connection.draining;
  }

  /** Queues all calls of a plan. */
  writeAhead(prefetch: Prefetch, plan: PrefetchPlan): void {
    this.#out.bytes(plan.bytes);
    for (let at = 0; at < plan.calls.length; at++) this.#calls.push(prefetch);
    this.#flushWithTurn();
  }

  /** Queues a call whose answer carries nothing; leaves with the next call or the event's end. */
  writeSend(row: FunctionRow, args: readonly unknown[]): void {
    writePair(this.#out, row, args);
    this.#calls.push(DISCARD);
    if (this.#out.position > MAX_HELD_BYTES) this.#flushWithTurn();
  }

  writeExit(event: ProtobufEvent, row: FunctionRow, args: readonly unknown[]): void {
    writePair(this.#out, row, args);
    this.#calls.push(EXIT);
    this.#exited = event.sequence;
  }

  writeDone(event: ProtobufEvent): void {
    writeEventEnd(this.#out, event.sequence);
  }

  /** The event has written its last word: sends it and goes on with the next command. */
  eventEnded(): void {
    this.#event = null;
    this.#lastCall = null;
    this.#flush();
    this.#connection.idle();
  }

  /** True when somebody waits for one of Kong's answers. */
  hasWaitingCalls(): boolean {
    for (let at = this.#answered; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (call instanceof PendingCall || (call instanceof Prefetch && call.waiting)) return true;
    }
    return false;
  }

  /** Rejects what still waits; the answers will be read and dropped. */
  rejectCalls(reason: KongTsError): void {
    for (let at = this.#answered; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (call instanceof Prefetch) call.reject(reason);
      if (!(call instanceof PendingCall)) continue;
      this.#calls[at] = DISCARD;
      call.reject(reason);
    }
  }

  /** The call that Kong has to answer next, null when there is none or nobody waits for it. */
  waitsFor(): FunctionRow | null {
    let at = this.#answered;
    for (let call = this.#calls[at]; call instanceof Prefetch; call = this.#calls[++at]) {
      if (call.waitsFor !== null) return call.waitsFor;
    }
    const call = this.#calls[at];
    return call instanceof PendingCall ? call.row : null;
  }

  /** Kong is gone. */
  lost(why: string): void {
    const event = this.#event;
    const next = this.#calls[this.#answered];
    if (next instanceof Prefetch && !this.#connection.draining && !this.#calls.includes(EXIT)) next.dropped();
    this.#event = null;
    this.#calls.splice(0, this.#answered);
    this.#answered = 0;
    event?.abandon(why);
    this.#calls.length = 0;
  }

  #readAnswer(frame: Buffer): void {
    const call = this.#calls[this.#answered++];
    if (this.#answered === this.#calls.length) {
      this.#calls.length = 0;
      this.#answered = 0;
    }
    if (call instanceof PendingCall) {
      resolveWith(call, frame);
      if (call === this.#lastCall) this.#lastAnswered();
    } else if (call instanceof Prefetch) call.receive(frame);
    else if (call === EXIT) {
      // Kong has not ended the request and goes on with the event: it has to be told that the event is over.
      writeEventEnd(this.#out, this.#exited);
      this.#flush();
    }
  }

  #lastAnswered(): void {
    const event = this.#event;
    this.#event = null;
    this.#lastCall = null;
    event?.answered();
  }

  #readCommand(frame: Buffer): void {
    let call: RpcCall;
    try {
      call = decodeRpcCall(frame);
    } catch (error) {
      this.#unreadable(frame, error);
      return;
    }
    this.#run(call);
  }

  /**
   * A command that cannot be read. An end alone would make Kong try an event again without end, an answer would pass a
   * request that the plugin has not seen: the event is aborted, for which Kong answers 500. Anything else is answered.
   * @throws what was wrong with it where there is nothing to answer to
   */
  #unreadable(frame: Buffer, error: unknown): void {
    const { sequence, type } = glimpseRpcCall(frame);
    if (type === null && sequence === null) throw error;
    this.#log(error);
    if (type === 'handleEvent') this.#connection.finish(eventAborted);
    else if (type === 'startInstance')
      this.#answerLater(
        sequence ?? 0,
        this.runtime.host.startInstance('', Buffer.alloc(0), this.#asked(sequence ?? 0)),
        true,
      );
    else this.#answer(sequence ?? 0, null);
  }

  #run({ sequence, command }: RpcCall): void {
    const { host } = this.runtime;
    switch (command.type) {
      case 'handleEvent':
        this.#find(sequence, command.instanceId, command.eventName);
        return;
      case 'startInstance':
        this.#answerLater(
          sequence,
          host.startInstance(command.name, command.config, this.#asked(sequence)),
          true,
        );
        return;
      case 'closeInstance':
        this.#answerLater(sequence, host.closeInstance(command.instanceId));
        return;
      case 'getInstanceStatus':
        this.#answerLater(sequence, Promise.resolve(host.instanceStatus(command.instanceId)));
        return;
      case 'getPluginNames':
        this.#answer(sequence, { type: 'pluginNames', names: host.pluginNames() });
        return;
      case 'getPluginInfo': {
        const info = host.pluginInfo(command.name);
        this.#answer(sequence, info === null ? null : { type: 'pluginInfo', info });
      }
    }
  }

  #asked(sequence: RpcCall['sequence']): AskedStart {
    return { ticket: this.ticket, protocol: 'protobuf', request: sequence };
  }

  #find(sequence: RpcCall['sequence'], instanceId: number, phase: string): void {
    const found = this.runtime.host.findInstance(instanceId);
    if (!(found instanceof Promise)) {
      this.#start(sequence, instanceId, phase, found);
      return;
    }
    this.#waiting = true;
    found.then(
      (instance) => {
        this.#waiting = false;
        if (!this.#connection.closing) this.#start(sequence, instanceId, phase, instance);
      },
      (error: unknown) => {
        this.#waiting = false;
        if (!this.#connection.closing)
          this.#start(sequence, instanceId, phase, brokenInstance(instanceId, error));
      },
    );
  }

  #start(sequence: RpcCall['sequence'], id: number, phase: string, instance: RunningInstance | null): void {
    if (instance === null) {
      this.runtime.host.log.notice(
        `No plugin instance ${id}: the connection ends, and Kong starts a new one.`,
        { code: 'INSTANCE_UNKNOWN' },
      );
      this.#connection.finish();
    } else if (known.has(phase)) {
      const event = new ProtobufEvent(this, instance, phase as Phase, sequence);
      this.#event = event;
      event.run();
    } else {
      this.runtime.host.log.warn(`Kong asked for the phase "${phase}", which is not known here.`);
      writeEventEnd(this.#out, sequence);
      this.#flush();
    }
  }

  /**
   * ProtoBuf:1 has no error answers. A host answers every start, with an instance that is broken where it has to; should
   * it fail all the same, the connection ends: Kong gives up its claim on the instance and answers 500. An answer
   * without a status would leave the claim behind, and every later request waiting for it.
   */
  #answerLater(sequence: RpcCall['sequence'], answer: Promise<StartedInstance | null>, starts = false): void {
    this.#waiting = true;
    answer.then(
      (instance) => {
        this.#waiting = false;
        this.#answer(
          sequence,
          instance === null ? null : { type: 'instanceStatus', status: statusOf(instance) },
        );
      },
      (error: unknown) => {
        this.#waiting = false;
        if (this.#connection.closing) return;
        this.#log(error);
        if (starts) this.#connection.finish();
        else this.#answer(sequence, null);
      },
    );
  }

  #log(error: unknown): void {
    const code = error instanceof KongTsError ? error.code : null;
    this.runtime.host.log.error(messageOf(error), { code });
  }

  #answer(sequence: RpcCall['sequence'], result: RpcResult | null): void {
    if (this.#connection.closing) return;
    const mark = this.#out.beginFrame();
    this.#out.bytes(encodeRpcReturn({ sequence, result }));
    this.#out.endFrame(mark);
    this.#flush();
    this.#connection.idle();
  }

  /** Plans a write for when everything that runs in this turn, with all its promises, has had its say. */
  #flushWithTurn(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    void settled.then(this.#planFlush);
  }

  #flush(): void {
    const out = this.#out;
    const connection = this.#connection;
    if (out.position === 0 || connection.closing) return;
    // The answer to a command, and not a call. What the system took at once can be written over.
    const last = !this.busy && this.#calls.at(-1) !== EXIT;
    const taken = last ? connection.answer(out.view(), 'protobuf') : connection.write(out.view());
    if (taken && out.buffer.length <= MAX_HELD_BYTES * 2) out.position = 0;
    else this.#out = new Writer(1024);
  }
}
