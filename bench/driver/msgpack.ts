import { connect, type Socket } from 'node:net';
import { Decoder, Encoder } from '@msgpack/msgpack';
import { replies } from './replies.ts';
import type { Client } from './job.ts';

type Answer = (error: Error | null, result: unknown) => void;

const encoder = new Encoder();
const decoder = new Decoder();

class Connection {
  readonly socket: Socket;
  answer: Answer | null = null;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.socket.on('error', (error) => this.#finish(error, null));
    this.socket.on('close', () => this.#finish(new Error('closed'), null));
  }

  #finish(error: Error | null, result: unknown): void {
    const answer = this.answer;
    this.answer = null;
    answer?.(error, result);
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: unknown[][] = [];
    try {
      // A reply may follow a notification in the same read.
      for (const value of decoder.decodeMulti(this.#rest)) {
        messages.push(value as unknown[]);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return;
    }
    this.#rest = Buffer.alloc(0);
    for (const message of messages) {
      if (message[0] !== 1) continue;
      const failure = message[2];
      this.#finish(failure == null ? null : new Error(JSON.stringify(failure)), message[3]);
    }
  }
}

interface StepReply {
  EventId: unknown;
  Data: 'ret' | { Method: string; Args: unknown[] };
}

/** Behaves like Kong's MsgPack:1 client: each RPC takes a connection from a pool and gives it back with the answer. */
export class MsgpackClient implements Client {
  readonly #path: string;
  #connections: Connection[] = [];
  #pool: Connection[] = [];
  #running = 0;
  #id = 0;
  #instance: unknown = null;
  calls = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get free(): number {
    return this.#connections.length - this.#running;
  }

  async open(count: number): Promise<void> {
    this.#connections = Array.from({ length: count }, () => new Connection(this.#path));
    await Promise.all(
      this.#connections.map(
        ({ socket }) =>
          new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
      ),
    );
    this.#pool = [...this.#connections];
  }

  #rpc(method: string, argument: unknown, answer: Answer): void {
    // First in, first out: another connection for each RPC of an event. Kong's pool gives the last one back first, and
    // takes another one where several events run.
    const connection = this.#pool.shift();
    if (connection === undefined) throw new Error('no free connection');
    connection.answer = (error, result) => {
      this.#pool.push(connection);
      answer(error, result);
    };
    connection.socket.write(encoder.encode([0, this.#id++, method, [argument]]));
  }

  async start(plugin: string, config: Record<string, unknown>): Promise<void> {
    const result = await new Promise<unknown>((resolve, reject) =>
      this.#rpc('plugin.StartInstance', { Name: plugin, Config: JSON.stringify(config) }, (error, value) =>
        error ? reject(error) : resolve(value),
      ),
    );
    this.#instance = (result as { Id: unknown }).Id;
  }

  run(phase: string, done: (error: Error | null) => void): void {
    this.#running += 1;
    const step: Answer = (error, result) => {
      const reply = result as StepReply;
      if (error !== null || reply.Data === 'ret') {
        this.#running -= 1;
        done(error);
        return;
      }
      this.calls += 1;
      const data = replies.get(reply.Data.Method);
      const argument =
        data === undefined ? { EventId: reply.EventId } : { EventId: reply.EventId, Data: data };
      this.#rpc('plugin.Step', argument, step);
    };
    this.#rpc('plugin.HandleEvent', { InstanceId: this.#instance, EventName: phase }, step);
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }
}
