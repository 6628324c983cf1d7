import { MessageWriter } from '../../wire/msgpack/encoder.ts';
import { MessageDecoder } from '../../wire/msgpack/decoder.ts';
import { encodeRequest, readEventAnswer, readMessage, type EventAnswer } from '../../wire/msgpack/rpc.ts';
import { messageOf } from '../../errors.ts';
import type { AnswerCall, ClientOptions, PluginClient } from './client.ts';
import { RpcFailure } from './failure.ts';
import { stepData, stepMethod } from './msgpack-steps.ts';
import { ConnectionPool } from './pool.ts';

/** MsgPack:1: every RPC takes a connection of its own from the pool; an event is a chain of RPCs. */
export class MsgpackClient implements PluginClient {
  private readonly options: ClientOptions;
  private readonly pool: ConnectionPool<unknown>;
  private readonly onServerChange: () => void;
  private messageId = 0;
  private serverPid: unknown = undefined;

  /** @param onServerChange called when the server says that it is another process than before */
  constructor(options: ClientOptions, onServerChange: () => void) {
    this.options = options;
    this.onServerChange = onServerChange;
    this.pool = new ConnectionPool(
      { path: options.path, timeoutMs: options.timeoutMs },
      () => new MessageDecoder({ maxMessageBytes: options.maxMessageBytes }),
    );
  }

  async startInstance(name: string, config: string): Promise<number> {
    const status = await this.request('plugin.StartInstance', { Name: name, Config: config });
    const id = typeof status === 'object' && status !== null ? (status as { Id?: unknown }).Id : null;
    if (typeof id !== 'number')
      throw new RpcFailure('the plugin server answered StartInstance without an Id');
    return id;
  }

  async closeInstance(id: number): Promise<void> {
    await this.request('plugin.CloseInstance', id);
  }

  async handleEvent(instanceId: number, phase: string, answer: AnswerCall): Promise<void> {
    let step = readStep(
      await this.request('plugin.HandleEvent', { InstanceId: instanceId, EventName: phase }),
    );
    const { eventId } = step;
    while (!step.done) {
      const result = await answer(step.method, step.args);
      const bytes = this.encodeStep(step.method, eventId, result);
      step = readStep(await this.send(bytes.id, bytes.message));
    }
  }

  drain(): void {
    this.pool.drain();
  }

  close(): void {
    this.pool.close();
  }

  private encodeStep(method: string, eventId: number, result: unknown): { id: number; message: Buffer } {
    const id = this.nextId();
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

  private nextId(): number {
    this.messageId = (this.messageId % 0x7fffffff) + 1;
    return this.messageId;
  }

  private request(method: string, argument: unknown): Promise<unknown> {
    const id = this.nextId();
    return this.send(id, encodeRequest(id, method, [argument]));
  }

  private async send(id: number, bytes: Buffer): Promise<unknown> {
    const connection = await this.pool.acquire();
    try {
      connection.write(bytes);
      for (;;) {
        const message = readMessage(await connection.next(this.options.timeoutMs));
        if (message.type === 'notification') {
          if (message.name === 'serverPid') this.notePid(message.value);
          continue;
        }
        if (message.type !== 'response' || message.id !== id)
          throw new RpcFailure('the plugin server answered another call than the one made');
        this.pool.release(connection);
        if (message.error !== null)
          throw new RpcFailure(typeof message.error === 'string' ? message.error : messageOf(message.error));
        return message.result;
      }
    } catch (error) {
      if (!(error instanceof RpcFailure)) {
        connection.destroy();
        throw new RpcFailure(messageOf(error), { cause: error });
      }
      // A connection that carried its answer is back in the pool; any other is of no more use.
      if (!this.pool.isIdle(connection)) connection.destroy();
      throw error.message === 'closed' ? new RpcFailure('no data') : error;
    }
  }

  private notePid(pid: unknown): void {
    const changed = this.serverPid !== undefined && this.serverPid !== pid;
    this.serverPid = pid;
    if (changed) this.onServerChange();
  }
}

function readStep(result: unknown): EventAnswer {
  try {
    return readEventAnswer(result);
  } catch (error) {
    throw new RpcFailure(messageOf(error), { cause: error });
  }
}
