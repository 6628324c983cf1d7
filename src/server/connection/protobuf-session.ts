import { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Phase } from '../../pdk/names/index.ts';
import { phases } from '../../pdk/names/index.ts';
import type { RpcCall, RpcResult } from '../../wire/protobuf/index.ts';
import { FrameDecoder, decodeRpcCall, encodeRpcReturn, glimpseRpcCall } from '../../wire/protobuf/index.ts';
import { eventAborted } from './abort.ts';
import { brokenInstance } from './broken-instance.ts';
import type { AskedStart, RunningInstance, StartedInstance } from './host.ts';
import { ProtobufCalls } from './protobuf-calls.ts';
import { ProtobufEvent } from './protobuf-event.ts';
import type { ProtobufEventSession } from './protobuf-event.ts';
import { statusOf } from './start-answer.ts';
import type { Runtime } from './runtime.ts';
import type { SessionConnection } from './session.ts';

const known: ReadonlySet<string> = new Set(phases);

/** What a connection does in ProtoBuf:1: at most one event runs on it, and Kong answers its calls in order. */
export class ProtobufSession implements ProtobufEventSession {
  readonly #connection: SessionConnection;
  readonly #decoder: FrameDecoder;
  /** What leaves on the connection. */
  readonly calls: ProtobufCalls;
  #event: ProtobufEvent | null = null;
  /** A command other than an event is being worked on. */
  #waiting = false;

  constructor(connection: SessionConnection) {
    this.#connection = connection;
    this.calls = new ProtobufCalls(
      connection,
      () => this.busy,
      () => this.#event?.flushing(),
    );
    this.#decoder = new FrameDecoder({
      maxFrameBytes: connection.runtime.host.maxFrameBytes,
      skips: () => this.answersDue,
    });
  }

  get runtime(): Runtime {
    return this.#connection.runtime;
  }

  /** See SessionConnection. */
  get ticket(): number {
    return this.#connection.ticket;
  }

  /** True while Kong has yet to answer calls: what it sends next is an answer. */
  get answersDue(): boolean {
    return this.calls.due;
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

  /** What is kept of a frame that is not complete, in bytes. */
  get held(): number {
    return this.#decoder.held;
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
      if (!this.answersDue) this.#readCommand(frame);
      else if (this.calls.answer(frame)) this.#lastAnswered();
    }
    return end;
  }

  /** @throws KongTsError FRAME_TRUNCATED when the stream ended inside a frame */
  endOfStream(): void {
    this.#decoder.end();
  }

  /** See ProtobufEventSession. */
  get endsWithEvent(): boolean {
    return this.#connection.draining;
  }

  /** See ProtobufEventSession. */
  eventEnded(): void {
    this.#event = null;
    this.calls.eventEnded();
    this.#connection.idle();
  }

  /** Kong is gone. */
  lost(why: string): void {
    const event = this.#event;
    this.calls.dropped();
    this.#event = null;
    event?.abandon(why);
    this.calls.forget();
  }

  #lastAnswered(): void {
    const event = this.#event;
    this.#event = null;
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
   * A command that cannot be read. If the connection only ended, Kong would try an event again without end. An answer
   * would pass a request that the plugin has not seen. So the session aborts the event, and Kong answers 500. It
   * answers any other command.
   * @throws the reason, if there is nothing to answer to
   */
  #unreadable(frame: Buffer, error: unknown): void {
    const { sequence, type } = glimpseRpcCall(frame);
    if (type === null && (sequence === null || this.runtime.host.orphans === true)) throw error;
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
      this.calls.writeDone(sequence);
      this.calls.flush();
    }
  }

  /**
   * ProtoBuf:1 has no error answers. A host answers every start, if need be with a broken instance. If it fails all the
   * same, the connection ends: Kong gives up its claim on the instance and answers 500. After an answer without a
   * status, the claim would stay, and every later request would wait for it.
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
    this.calls.writeAnswer(encodeRpcReturn({ sequence, result }));
    this.calls.flush();
    this.#connection.idle();
  }
}
