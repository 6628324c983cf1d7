import type { EventAnswer, Message, Response } from '../../wire/msgpack/index.ts';
import { MessageWriter, MessageDecoder, readMessage } from '../../wire/msgpack/index.ts';
import { encodeRequest, readEventAnswer } from '../../wire/msgpack/kong-side.ts';
import { messageOf } from '../../base/errors.ts';
import type { EventMeter } from '../request/phase-report.ts';
import type { AnswerCall, ClientOptions, PluginClient } from './client.ts';
import type { Conversation } from './conversation.ts';
import { KongRaised, RpcFailure, SendFailure } from './failure.ts';
import { stepData, stepMethod } from './msgpack-steps.ts';
import type { ConnectionPool } from './pool.ts';

/** MsgPack:1: every RPC takes a connection of its own from the pool; an event is a chain of RPCs. */
export class MsgpackClient implements PluginClient {
  readonly #options: ClientOptions;
  readonly #pool: ConnectionPool;
  readonly #onServerChange: () => void;
  #messageId = 0;
  #serverPid: unknown = undefined;

  /** @param onServerChange called when the server says that it is another process than before */
  constructor(pool: ConnectionPool, options: ClientOptions, onServerChange: () => void) {
    this.#pool = pool;
    this.#options = options;
    this.#onServerChange = onServerChange;
  }

  async startInstance(name: string, config: string): Promise<number | null> {
    const status = await this.#request('plugin.StartInstance', { Name: name, Config: config });
    if (status === null) throw new RpcFailure('the answer is nil');
    if (typeof status === 'number' || typeof status === 'boolean')
      throw new KongRaised(`attempt to index local 'status' (a ${typeof status} value)`);
    const id = (status as { Id?: unknown }).Id;
    return typeof id === 'number' ? id : null;
  }

  async closeInstance(id: number): Promise<void> {
    await this.#request('plugin.CloseInstance', id);
  }

  async handleEvent(
    instanceId: number | null,
    phase: string,
    answer: AnswerCall,
    meter?: EventMeter,
  ): Promise<void> {
    const event = instanceId === null ? { EventName: phase } : { InstanceId: instanceId, EventName: phase };
    let step = readStep(await this.#request('plugin.HandleEvent', event, meter));
    const { eventId } = step;
    while (!step.done) {
      const result = await answer(step.method, step.args);
      const bytes = this.#encodeStep(step.method, eventId, result);
      step = readStep(await this.#send(bytes.id, bytes.message, meter));
    }
  }

  #encodeStep(method: string, eventId: number, result: unknown): { id: number; message: Buffer } {
    const id = this.#nextId();
    const data = stepData(method, result);
    const writer = new MessageWriter();
    writer.array(4);
    writer.number(0);
    writer.number(id);
    writer.text(stepMethod(method));
    writer.array(1);
    writer.map(data === null ? 1 : 2);
    writer.text('EventId');
    writer.number(eventId);
    if (data !== null) {
      writer.text('Data');
      data(writer);
    }
    return { id, message: Buffer.from(writer.view()) };
  }

  #nextId(): number {
    this.#messageId = (this.#messageId % 0x7fffffff) + 1;
    return this.#messageId;
  }

  #request(method: string, argument: unknown, meter?: EventMeter): Promise<unknown> {
    const id = this.#nextId();
    return this.#send(id, encodeRequest(id, method, [argument]), meter);
  }

  async #send(id: number, bytes: Buffer, meter?: EventMeter): Promise<unknown> {
    const decoder = new MessageDecoder({ maxMessageBytes: this.#options.maxMessageBytes });
    const conversation = await this.#pool.acquire(decoder, meter);
    try {
      conversation.write(bytes);
      const { error, result } = await this.#read(conversation, id);
      this.#pool.release(conversation);
      if (error !== null) throw new RpcFailure(typeof error === 'string' ? error : messageOf(error));
      return result;
    } catch (error) {
      // A connection that carried its answer is back in the pool. Any other is of no use any more.
      if (!this.#pool.isIdle(conversation)) conversation.destroy();
      throw error;
    }
  }

  async #read(conversation: Conversation<unknown>, id: number): Promise<Response> {
    for (;;) {
      const message = messageIn(await this.#next(conversation));
      if (message.type === 'response' && message.id === id) return message;
      if (message.type !== 'notification')
        throw new KongRaised('the plugin server answered another call than the one made');
      if (message.name === 'serverPid') this.#notePid(message.value);
    }
  }

  /** Kong's Lua does not tell failures of a read apart: there is no more data, or a message is cut off. */
  async #next(conversation: Conversation<unknown>): Promise<unknown> {
    try {
      return await conversation.next(this.#options.timeoutMs);
    } catch (error) {
      if (!(error instanceof RpcFailure) || error instanceof SendFailure) throw error;
      if (conversation.partial) throw new KongRaised(`missing bytes: ${error.message}`, { cause: error });
      throw new RpcFailure('no data', { cause: error });
    }
  }

  #notePid(pid: unknown): void {
    const changed = this.#serverPid !== undefined && this.#serverPid !== pid;
    this.#serverPid = pid;
    if (changed) this.#onServerChange();
  }
}

function messageIn(value: unknown): Message {
  try {
    return readMessage(value);
  } catch (error) {
    throw new KongRaised(messageOf(error), { cause: error });
  }
}

function readStep(result: unknown): EventAnswer {
  try {
    return readEventAnswer(result);
  } catch (error) {
    throw result === null
      ? new RpcFailure('the answer is nil', { cause: error })
      : new KongRaised(messageOf(error), { cause: error });
  }
}
