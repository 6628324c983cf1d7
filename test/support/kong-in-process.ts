import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { callFunction, PdkExit } from '../../src/kong-end/index.ts';
import type { Exchange, PdkCall } from '../../src/kong-end/index.ts';
import { stepData, stepMethod } from '../../src/kong-end/plugin-server/msgpack-steps.ts';
import { rowByName } from '../../src/pdk/catalogue.ts';
import type { Phase, Protocol } from '../../src/pdk/names/phases.ts';
import { KongConnection } from '../../src/server/connection/connection.ts';
import type { ConnectionHost } from '../../src/server/connection/host.ts';
import { runtimeOf } from '../../src/server/connection/runtime.ts';
import { MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { encodeRequest, readEventAnswer } from '../../src/wire/msgpack/kong-side.ts';
import { readMessage } from '../../src/wire/msgpack/messages.ts';
import { MessageWriter } from '../../src/wire/msgpack/writer.ts';
import { FrameDecoder, encodeFrame } from '../../src/wire/protobuf/framing.ts';
import { decodeArguments, encodeResult, encodeRpcCall } from '../../src/wire/protobuf/kong-side.ts';

/** How Kong saw an event. `raised`: it failed at a call, and the client gets a 500. */
export interface KongEvent {
  readonly methods: readonly string[];
  /** Writes of the plugin server. */
  readonly writes: number;
  readonly end: 'done' | 'exit' | 'raised';
}

const plugin = {
  entity: { id: 'b9c47d9e-5b8e-4b0e-8b35-0a1c63f3d5a1', name: 'test' },
} as unknown as PdkCall['plugin'];

/**
 * Kong's end of one connection without a socket, over either protocol, with the sandbox's PDK behind it: what calls do to an
 * exchange, and what they answer, is what Kong 3.9.3 does. Each answer comes by itself, in pieces
 * of `piece` bytes: how the answers of one read interleave with what they set going is nobody's order.
 */
export class KongInProcess extends EventEmitter {
  readonly writableLength = 0;
  readonly readableLength = 0;
  readonly bytesRead = 0;
  writableEnded = false;
  readonly #protocol: Protocol;
  readonly #connection: KongConnection;
  readonly #piece: number;
  readonly #frames = new FrameDecoder();
  readonly #messages = new MessageDecoder();
  readonly #out: Buffer[] = [];
  #delivering = false;
  #id = 0;
  #phase: Phase = 'access';
  #exchange: Exchange | null = null;
  #methods: string[] = [];
  #writes = 0;
  #method: string | null = null;
  #ending = false;
  #over: ((seen: KongEvent) => void) | null = null;

  constructor(host: ConnectionHost, protocol: Protocol, piece = 1 << 20) {
    super();
    this.#protocol = protocol;
    this.#piece = piece;
    this.#connection = new KongConnection(runtimeOf(host), this as unknown as Socket);
  }

  /** Runs one event on an exchange; resolves when it is over for Kong. */
  event(instanceId: number, phase: Phase, exchange: Exchange): Promise<KongEvent> {
    this.#phase = phase;
    this.#exchange = exchange;
    this.#methods = [];
    this.#writes = 0;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Nothing comes after ${this.#methods.join()}`)), 60_000);
      this.#over = (seen) => {
        clearTimeout(late);
        resolve(seen);
      };
      this.#deliver(
        this.#protocol === 'protobuf'
          ? encodeFrame(
              encodeRpcCall({
                sequence: ++this.#id,
                command: { type: 'handleEvent', instanceId, eventName: phase },
              }),
            )
          : encodeRequest(++this.#id, 'plugin.HandleEvent', [{ InstanceId: instanceId, EventName: phase }]),
      );
    });
  }

  write(bytes: Buffer): boolean {
    this.#writes++;
    const copy = Buffer.from(bytes);
    if (this.#protocol === 'msgpack') for (const value of this.#messages.push(copy)) this.#stepped(value);
    else for (const frame of this.#frames.push(copy)) this.#framed(frame);
    return true;
  }

  end(last?: Buffer): void {
    if (last !== undefined) this.write(last);
    this.writableEnded = true;
  }

  destroy(): void {
    this.emit('close');
  }

  pause(): void {}
  resume(): void {}

  #framed(frame: Buffer): void {
    if (this.#over === null) return;
    if (this.#ending) {
      this.#ending = false;
      this.#finish('done');
    } else if (this.#method !== null) {
      const method = this.#method;
      this.#method = null;
      const messages = rowByName(method)?.protobuf;
      if (messages == null) throw new Error(`Kong does not know ${method}`);
      this.#answer(method, decodeArguments(messages.arguments, frame), (value) =>
        encodeFrame(encodeResult(messages.result, value)),
      );
    } else if (frame.length === 0) this.#ending = true;
    else this.#method = frame.toString('latin1');
  }

  #stepped(value: unknown): void {
    const message = readMessage(value);
    if (message.type !== 'response' || message.id !== this.#id) throw new Error('That is not an answer.');
    if (message.error !== null) throw new Error(JSON.stringify(message.error));
    const step = readEventAnswer(message.result);
    if (step.done) this.#finish('done');
    else this.#answer(step.method, step.args, (result) => this.#step(step.method, step.eventId, result));
  }

  #step(method: string, eventId: number, result: unknown): Buffer {
    const data = stepData(method, result);
    const writer = new MessageWriter();
    writer.array(4);
    writer.number(0);
    writer.number(++this.#id);
    writer.text(stepMethod(method));
    writer.array(1);
    writer.map(data === null ? 1 : 2);
    writer.text('EventId');
    writer.number(eventId);
    if (data !== null) {
      writer.text('Data');
      data(writer);
    }
    return Buffer.from(writer.view());
  }

  #answer(method: string, args: readonly unknown[], encode: (value: unknown) => Buffer): void {
    this.#methods.push(method);
    const exchange = this.#exchange as Exchange;
    try {
      const call = { phase: this.#phase, protocol: this.#protocol, exchange, plugin };
      this.#deliver(encode(callFunction(call, method, args)));
    } catch (error) {
      this.#finish(error instanceof PdkExit ? 'exit' : 'raised');
    }
  }

  #finish(end: KongEvent['end']): void {
    const seen = { methods: this.#methods, writes: this.#writes, end };
    const over = this.#over;
    this.#over = null;
    // Over ProtoBuf:1 Kong drops the connection; over MsgPack:1 it never steps the event again.
    if (end !== 'done' && this.#protocol === 'protobuf') setImmediate(() => this.emit('close'));
    setImmediate(() => setImmediate(() => over?.(seen)));
  }

  #deliver(bytes: Buffer): void {
    this.#out.push(bytes);
    if (this.#delivering) return;
    this.#delivering = true;
    setImmediate(() => this.#pump());
  }

  #pump(): void {
    const bytes = this.#out.shift() as Buffer;
    const piece = Buffer.from(bytes.subarray(0, this.#piece));
    if (bytes.length > this.#piece) this.#out.unshift(bytes.subarray(this.#piece));
    this.#delivering = this.#out.length > 0;
    if (this.#delivering) setImmediate(() => this.#pump());
    this.#connection.read(piece);
    // What was read is written over, as in the buffer that all connections share.
    piece.fill(0xff);
  }
}
