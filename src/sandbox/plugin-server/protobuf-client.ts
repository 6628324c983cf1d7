import { decodeRpcReturn, encodeRpcCall, type RpcCommand, type RpcReturn } from '../../wire/protobuf/rpc.ts';
import { FrameDecoder } from '../../wire/protobuf/frames.ts';
import { decodeArguments, encodeResult } from '../../wire/protobuf/values.ts';
import { decodeText } from '../../wire/text.ts';
import { findFunction } from '../pdk/functions.ts';
import type { AnswerCall, ClientOptions, PluginClient } from './client.ts';
import type { PluginConnection } from './connection.ts';
import { PdkRejection, RpcFailure } from './failure.ts';
import { ConnectionPool } from './pool.ts';

/** ProtoBuf:1: a connection is taken for a whole event; the server asks in pairs of frames until an empty one. */
export class ProtobufClient implements PluginClient {
  private readonly options: ClientOptions;
  private readonly pool: ConnectionPool<Buffer>;
  private sequence = 0;

  constructor(options: ClientOptions) {
    this.options = options;
    this.pool = new ConnectionPool(
      { path: options.path, timeoutMs: options.timeoutMs },
      () => new FrameDecoder({ maxFrameBytes: options.maxMessageBytes }),
    );
  }

  async startInstance(name: string, config: string): Promise<number> {
    const answer = await this.call({ type: 'startInstance', name, config: Buffer.from(config) }, null);
    if (answer.result?.type !== 'instanceStatus')
      throw new RpcFailure('the plugin server answered StartInstance without an instance');
    return answer.result.status.instanceId;
  }

  async closeInstance(id: number): Promise<void> {
    await this.call({ type: 'closeInstance', instanceId: id }, null);
  }

  async handleEvent(instanceId: number, phase: string, answer: AnswerCall): Promise<void> {
    await this.call({ type: 'handleEvent', instanceId, eventName: phase }, answer);
  }

  drain(): void {
    this.pool.drain();
  }

  close(): void {
    this.pool.close();
  }

  private async call(command: RpcCommand, answer: AnswerCall | null): Promise<RpcReturn> {
    const sequence = (this.sequence = (this.sequence % 0x7fffffff) + 1);
    const connection = await this.pool.acquire();
    try {
      writeFrame(connection, encodeRpcCall({ sequence, command }));
      if (answer !== null) await this.bridge(connection, answer);
      const returned = decodeRpcReturn(await connection.next(this.options.timeoutMs));
      if (Number(returned.sequence) !== sequence)
        throw new RpcFailure('the plugin server answered with another sequence');
      this.pool.release(connection);
      return returned;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  private async bridge(connection: PluginConnection<Buffer>, answer: AnswerCall): Promise<void> {
    const { timeoutMs } = this.options;
    for (;;) {
      const frame = await connection.next(timeoutMs);
      if (frame.length === 0) return;
      const method = decodeText(frame);
      const args = await connection.next(timeoutMs);
      const messages = findFunction(method)?.protobuf ?? null;
      if (messages === null) throw new RpcFailure(`method "${method}" not found`);
      const result = await answer(method, decodeArguments(messages.arguments, args));
      writeFrame(connection, encode(method, messages.result, result));
    }
  }
}

function encode(method: string, type: Parameters<typeof encodeResult>[0], result: unknown): Buffer {
  if (type === 'String' && result !== null && typeof result !== 'string' && !Buffer.isBuffer(result))
    throw new PdkRejection(`${method}: string expected for field 'v', got ${typeof result}`);
  return encodeResult(type, records.has(type) ? withoutZeroNumbers(result) : result);
}

const records = new Set<string>(['Route', 'Service', 'Consumer']);

/** Kong leaves out a record's numbers that are 0, but not its false booleans (measured on Kong 3.9.3). */
function withoutZeroNumbers(record: unknown): unknown {
  if (typeof record !== 'object' || record === null) return record;
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== 0));
}

/** Kong writes length and body in separate sends. */
function writeFrame(connection: PluginConnection<Buffer>, body: Buffer): void {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(body.length);
  connection.write(head);
  if (body.length > 0) connection.write(body);
}
