import type { Buffer } from 'node:buffer';
import { MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { encodeRequest, readEventAnswer } from '../../src/wire/msgpack/kong-side.ts';
import { readMessage } from '../../src/wire/msgpack/messages.ts';
import { FrameDecoder, encodeFrame } from '../../src/wire/protobuf/framing.ts';
import { decodeRpcReturn, encodeRpcCall } from '../../src/wire/protobuf/kong-side.ts';
import { encodeResult } from '../../src/wire/protobuf/kong-side.ts';
import { rowByName } from '../../src/pdk/catalogue.ts';
import type { Client } from './unix-server.ts';

/** What Kong answers to a PDK call; `undefined` for a call that ends the request without an answer. */
export type Answer = (method: string, args: Buffer | readonly unknown[]) => unknown;

export const noAnswer = Symbol('no answer');

/** How an event went, seen from Kong. */
export interface EventResult {
  /** Functions that the plugin called, in order. */
  readonly methods: string[];
  /** False when a call was never answered, as after an exit. */
  readonly finished: boolean;
  readonly error?: unknown;
}

/** Kong's side of ProtoBuf:1 on one connection. */
export class ProtobufKong {
  readonly client: Client;
  readonly #decoder = new FrameDecoder();
  readonly #frames: Buffer[] = [];
  #chunks = 0;
  #sequence = 0;

  /** @param seen chunks that have come on the connection before, and are not this Kong's */
  constructor(client: Client, seen = 0) {
    this.client = client;
    this.#chunks = seen;
  }

  async frame(): Promise<Buffer> {
    await this.client.until(() => this.#read() || this.client.ended, 'a frame');
    const frame = this.#frames.shift();
    if (frame === undefined) throw new Error('closed');
    return frame;
  }

  /** Sends HandleEvent, the length and the body apart as Kong does. */
  start(instanceId: number, eventName: string): void {
    const call = encodeFrame(
      encodeRpcCall({ sequence: ++this.#sequence, command: { type: 'handleEvent', instanceId, eventName } }),
    );
    this.client.write(call.subarray(0, 4));
    this.client.write(call.subarray(4));
  }

  async event(instanceId: number, eventName: string, answer: Answer = () => null): Promise<EventResult> {
    this.start(instanceId, eventName);
    const methods: string[] = [];
    for (;;) {
      const name = (await this.frame()).toString('latin1');
      if (name === '') break;
      methods.push(name);
      const args = await this.frame();
      const value = answer(name, args);
      if (value === noAnswer) return { methods, finished: false };
      const type = rowByName(name)?.protobuf?.result ?? 'google.protobuf.Empty';
      this.client.write(encodeFrame(encodeResult(type, value)));
    }
    const { sequence } = decodeRpcReturn(await this.frame());
    if (Number(sequence) !== this.#sequence) throw new Error(`sequence ${sequence}`);
    return { methods, finished: true };
  }

  #read(): boolean {
    while (this.#chunks < this.client.chunks.length) {
      this.#frames.push(...this.#decoder.push(this.client.chunks[this.#chunks++] as Buffer));
    }
    return this.#frames.length > 0;
  }
}

/** Kong's side of MsgPack:1; every request may go over another connection. */
export class MsgpackKong {
  readonly clients: readonly Client[];
  readonly #decoders: MessageDecoder[];
  readonly #chunks: number[];
  #id = 0;
  #next = 0;

  constructor(...clients: Client[]) {
    this.clients = clients;
    this.#decoders = clients.map(() => new MessageDecoder());
    this.#chunks = clients.map(() => 0);
  }

  /** Kong's side on a connection whose chunks up to now are not this Kong's. */
  static after(client: Client): MsgpackKong {
    const kong = new MsgpackKong(client);
    kong.#chunks[0] = client.chunks.length;
    return kong;
  }

  /** Error and result of one request. */
  async request(method: string, argument: unknown): Promise<{ error: unknown; result: unknown }> {
    const at = this.#next++ % this.clients.length;
    const client = this.clients[at] as Client;
    client.write(encodeRequest(++this.#id, method, [argument]));
    const values: unknown[] = [];
    await client.until(() => {
      while ((this.#chunks[at] as number) < client.chunks.length) {
        const chunk = client.chunks[(this.#chunks[at] as number)++] as Buffer;
        values.push(...(this.#decoders[at] as MessageDecoder).push(chunk));
      }
      return values.length > 0 || client.ended;
    }, `the answer to ${method}`);
    if (values.length === 0) throw new Error('closed');
    const message = readMessage(values[0]);
    if (message.type !== 'response' || message.id !== this.#id) throw new Error('not the answer');
    return message;
  }

  async event(instanceId: number, eventName: string, answer: Answer = () => null): Promise<EventResult> {
    const methods: string[] = [];
    let { error, result } = await this.request('plugin.HandleEvent', {
      InstanceId: instanceId,
      EventName: eventName,
    });
    for (;;) {
      if (error !== null) return { methods, finished: true, error };
      const step = readEventAnswer(result);
      if (step.done) return { methods, finished: true };
      methods.push(step.method);
      const value = answer(step.method, step.args);
      if (value === noAnswer) return { methods, finished: false };
      const data = value === null ? {} : { Data: value };
      ({ error, result } = await this.request('plugin.Step', { EventId: step.eventId, ...data }));
    }
  }
}

type Wire = 'protobuf' | 'msgpack';

/** Kong's side on a connection that others have used up to now. */
export function kongOn(client: Client, protocol: Wire): ProtobufKong | MsgpackKong {
  return protocol === 'protobuf' ? new ProtobufKong(client, client.chunks.length) : MsgpackKong.after(client);
}

export const otherThan = (protocol: Wire): Wire => (protocol === 'protobuf' ? 'msgpack' : 'protobuf');

/**
 * Kong with plugins of both protocols on one socket path: a plugin of the other protocol has an event on the same
 * connection before the first event of the plugin that is tested, and after each that ends.
 */
export class MixedKong {
  readonly clients: readonly Client[];
  readonly #protocol: Wire;
  readonly #client: Client;
  readonly #other: number;

  private constructor(protocol: Wire, other: number, client: Client) {
    this.#protocol = protocol;
    this.#other = other;
    this.#client = client;
    this.clients = [client];
  }

  /** @param other the instance of the other plugin */
  static async open(protocol: Wire, other: number, client: Client): Promise<MixedKong> {
    const kong = new MixedKong(protocol, other, client);
    await kong.#otherEvent('access');
    return kong;
  }

  async event(instanceId: number, eventName: string, answer: Answer = () => null): Promise<EventResult> {
    const result = await kongOn(this.#client, this.#protocol).event(instanceId, eventName, answer);
    if (result.finished) await this.#otherEvent(eventName);
    return result;
  }

  async #otherEvent(eventName: string): Promise<void> {
    const kong = kongOn(this.#client, otherThan(this.#protocol));
    const { methods } = await kong.event(this.#other, eventName);
    if (methods.length === 0) throw new Error('the plugin of the other protocol did not run');
  }
}
