import { messageOf } from '../../base/errors.ts';
import { decodeRpcReturn, encodeRpcCall } from '../../wire/protobuf/kong-side.ts';
import type { RpcCommand, RpcReturn } from '../../wire/protobuf/index.ts';
import { FrameDecoder, skippedFrame } from '../../wire/protobuf/index.ts';
import { decodeArguments, encodeResult } from '../../wire/protobuf/kong-side.ts';
import { decodeText } from '../../base/text.ts';
import { findFunction } from '../pdk/functions.ts';
import type { EventMeter } from '../request/phase-report.ts';
import type { AnswerCall, ClientOptions, PluginClient } from './client.ts';
import type { Conversation } from './conversation.ts';
import { KongRaised, PdkRejection, RpcFailure, SendFailure } from './failure.ts';
import type { ConnectionPool } from './pool.ts';

/**
 * ProtoBuf:1: an event holds one connection until it ends. The server asks in pairs of frames until it sends an empty
 * one.
 */
export class ProtobufClient implements PluginClient {
  readonly #options: ClientOptions;
  readonly #pool: ConnectionPool;
  #sequence = 0;

  constructor(pool: ConnectionPool, options: ClientOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  async startInstance(name: string, config: string): Promise<number> {
    const answer = await this.#call({ type: 'startInstance', name, config: Buffer.from(config) }, null);
    if (answer.result?.type !== 'instanceStatus')
      throw new KongRaised('the plugin server answered StartInstance without an instance');
    return answer.result.status.instanceId;
  }

  async closeInstance(id: number): Promise<void> {
    await this.#call({ type: 'closeInstance', instanceId: id }, null);
  }

  async handleEvent(
    instanceId: number | null,
    phase: string,
    answer: AnswerCall,
    meter?: EventMeter,
  ): Promise<void> {
    const command = { type: 'handleEvent', instanceId: instanceId ?? 0, eventName: phase } as const;
    await this.#call(command, answer, meter);
  }

  async #call(command: RpcCommand, answer: AnswerCall | null, meter?: EventMeter): Promise<RpcReturn> {
    const sequence = (this.#sequence = (this.#sequence % 0x7fffffff) + 1);
    // Kong waits for as many bytes as a length says, even if the server does not speak ProtoBuf:1 and they never come.
    const decoder = new FrameDecoder({ maxFrameBytes: this.#options.maxMessageBytes, skips: () => true });
    const conversation = await this.#pool.acquire(decoder, meter);
    try {
      writeFrame(conversation, encodeRpcCall({ sequence, command }));
      if (answer !== null) await this.#bridge(conversation, answer);
      const returned = returnIn(await this.#frame(conversation));
      this.#pool.release(conversation);
      if (Number(returned.sequence) !== sequence)
        throw new KongRaised('the plugin server answered with another sequence');
      return returned;
    } catch (error) {
      if (!this.#pool.isIdle(conversation)) conversation.destroy();
      throw error instanceof SendFailure ? new KongRaised(error.message, { cause: error }) : error;
    }
  }

  async #bridge(conversation: Conversation<Buffer>, answer: AnswerCall): Promise<void> {
    for (;;) {
      const frame = await this.#frame(conversation);
      if (frame.length === 0) return;
      const method = decodeText(frame);
      const args = await this.#frame(conversation);
      const messages = findFunction(method)?.protobuf ?? null;
      if (messages === null) throw new RpcFailure(`method "${method}" not found`);
      const result = await answer(method, argumentsIn(messages.arguments, args));
      writeFrame(conversation, encode(method, messages.result, result));
    }
  }

  async #frame(conversation: Conversation<Buffer>): Promise<Buffer> {
    const { timeoutMs, maxMessageBytes } = this.#options;
    const frame = await conversation.next(timeoutMs);
    if (frame !== skippedFrame) return frame;
    throw new KongRaised(`the plugin server sent a frame of more than ${String(maxMessageBytes)} bytes`);
  }
}

function returnIn(bytes: Buffer): RpcReturn {
  return orRaise(() => decodeRpcReturn(bytes));
}

function argumentsIn(type: Parameters<typeof decodeArguments>[0], bytes: Buffer): unknown[] {
  return orRaise(() => decodeArguments(type, bytes));
}

/** The server's bytes cannot be decoded. Kong's Lua asserts that they can. */
function orRaise<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    throw new KongRaised(messageOf(error), { cause: error });
  }
}

function encode(method: string, type: Parameters<typeof encodeResult>[0], result: unknown): Buffer {
  if (type === 'String' && result !== null && typeof result !== 'string' && !Buffer.isBuffer(result))
    throw new PdkRejection(`${method}: string expected for field 'v', got ${typeof result}`);
  if (type === 'Route') checkAddresses(method, result);
  checkTexts(method, texts[type] ?? [], result);
  return encodeResult(type, records.has(type) ? withoutZeroNumbers(result) : result);
}

/**
 * Fields that are texts in Kong's description of the messages, although an authentication plugin may leave anything
 * there.
 */
const texts: Readonly<Record<string, readonly string[]>> = {
  Consumer: ['id', 'username', 'custom_id'],
  AuthenticatedCredential: ['id', 'consumer_id'],
};

function checkTexts(method: string, names: readonly string[], record: unknown): void {
  const given = Object(record) as Record<string, unknown>;
  for (const name of names) {
    const value = given[name] ?? '';
    if (typeof value === 'string' || Buffer.isBuffer(value)) continue;
    throw new PdkRejection(`${method}: string expected for field '${name}', got ${typeof value}`);
  }
}

/** Addresses are tables in Kong, but texts in its description of the messages. So Kong raises at the first of them. */
function checkAddresses(method: string, route: unknown): void {
  const given = Object(route) as Record<string, unknown>;
  for (const name of ['sources', 'destinations']) {
    const list = given[name];
    if (!Array.isArray(list) || list.length === 0) continue;
    throw new PdkRejection(`${method}: string expected for field '${name}', got table`);
  }
}

const records = new Set<string>(['Route', 'Service', 'Consumer']);

/** Kong leaves out a record's numbers that are 0, but not its false booleans (measured on Kong 3.9.3). */
function withoutZeroNumbers(record: unknown): unknown {
  if (typeof record !== 'object' || record === null) return record;
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== 0));
}

/** Kong writes length and body in separate sends. */
function writeFrame(conversation: Conversation<Buffer>, body: Buffer): void {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(body.length);
  if (body.length > 0) conversation.write(head, body);
  else conversation.write(head);
}
