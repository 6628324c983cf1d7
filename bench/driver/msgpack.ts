import { Decoder, Encoder } from '@msgpack/msgpack';
import type { Client } from './job.ts';
import type { Connection, Pool, Speaker } from './pool.ts';
import type { Till } from './prices.ts';
import { headers, replies } from './replies.ts';

type Answer = (error: Error | null, result: unknown) => void;

/** Every value as a list, as Kong has them over MsgPack:1. */
const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

const encoder = new Encoder();
const decoder = new Decoder();

/** One RPC on a connection that it has taken from the pool. */
class Rpc implements Speaker {
  readonly #pool: Pool;
  readonly #connection: Connection;
  readonly #answer: Answer;
  #rest: Buffer = Buffer.alloc(0);

  constructor(pool: Pool, bytes: Uint8Array, answer: Answer) {
    this.#pool = pool;
    this.#answer = answer;
    this.#connection = pool.take(this);
    this.#connection.socket.write(bytes);
  }

  lost(error: Error): void {
    this.#answer(error, null);
  }

  read(chunk: Buffer): void {
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
      this.#pool.give(this.#connection);
      const failure = message[2];
      this.#answer(failure == null ? null : new Error(JSON.stringify(failure)), message[3]);
    }
  }
}

interface StepReply {
  EventId: unknown;
  Data: 'ret' | { Method: string; Args: unknown[] };
}

/** Behaves like Kong's MsgPack:1 client: each RPC takes a connection from a pool and gives it back with the answer. */
export class MsgpackClient implements Client {
  readonly #pool: Pool;
  readonly #till: Till;
  #id = 0;
  #instance: unknown = null;
  running = 0;
  calls = 0;

  constructor(pool: Pool, till: Till) {
    this.#pool = pool;
    this.#till = till;
  }

  #rpc(method: string, argument: unknown, answer: Answer): void {
    new Rpc(this.#pool, encoder.encode([0, this.#id++, method, [argument]]), answer);
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
    this.running += 1;
    this.#till.event();
    const step: Answer = (error, result) => {
      const reply = result as StepReply;
      if (error !== null || reply.Data === 'ret') {
        this.running -= 1;
        done(error);
        return;
      }
      this.calls += 1;
      this.#till.call(reply.Data.Method);
      const method = reply.Data.Method;
      const data = method === 'kong.request.get_headers' ? lists : replies.get(method);
      const argument =
        data === undefined ? { EventId: reply.EventId } : { EventId: reply.EventId, Data: data };
      this.#rpc('plugin.Step', argument, step);
    };
    this.#rpc('plugin.HandleEvent', { InstanceId: this.#instance, EventName: phase }, step);
  }
}
