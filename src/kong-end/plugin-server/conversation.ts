import { messageOf } from '../../base/errors.ts';
import type { EventMeter } from '../request/phase-report.ts';
import type { ConnectionReader, Decoder, PluginConnection } from './connection.ts';
import type { RpcFailure } from './failure.ts';
import { KongRaised } from './failure.ts';

/** Messages that wait here before the socket is paused. */
const maxWaiting = 256;

/** One use of a pooled connection, in one protocol: whole messages in, bytes out, one reader at a time. */
export class Conversation<Message> implements ConnectionReader {
  readonly connection: PluginConnection;
  readonly #decoder: Decoder<Message>;
  readonly #waiting: Message[] = [];
  #reader: { resolve(message: Message): void; reject(error: Error): void } | null = null;
  #failure: Error | null = null;
  #timer: NodeJS.Timeout | null = null;
  readonly #meter: EventMeter | undefined;

  constructor(connection: PluginConnection, decoder: Decoder<Message>, meter?: EventMeter) {
    this.connection = connection;
    this.#meter = meter;
    this.#decoder = decoder;
    connection.readBy(this);
  }

  /** True when nothing is left that was sent to this conversation. */
  get clean(): boolean {
    return this.#failure === null && this.#waiting.length === 0 && !this.#decoder.partial;
  }

  /** True in the middle of a message. */
  get partial(): boolean {
    return this.#decoder.partial;
  }

  /** One whole message. */
  write(...parts: readonly Buffer[]): void {
    if (this.#meter !== undefined) this.#meter.frames++;
    for (const part of parts) this.connection.write(part);
  }

  /**
   * The next message. Rejects with an RpcFailure (`closed`, `timeout`, `connection reset by peer`, ...), with a
   * KongRaised if the bytes are not a message.
   */
  next(timeoutMs: number): Promise<Message> {
    const message = this.#waiting.shift();
    if (message !== undefined) {
      if (this.#waiting.length === 0) this.connection.pause(false);
      return Promise.resolve(message);
    }
    const failure = this.#failure ?? this.connection.failed;
    if (failure !== null) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#timer = setTimeout(() => this.connection.destroy('timeout'), timeoutMs);
    });
  }

  /** Ends the connection: it is not used again. */
  destroy(): void {
    this.connection.destroy();
  }

  received(chunk: Buffer): void {
    try {
      for (const message of this.#decoder.push(chunk)) this.#deliver(message);
    } catch (error) {
      this.failed(new KongRaised(messageOf(error), { cause: error }));
      this.connection.destroy();
    }
    if (this.#waiting.length > maxWaiting) this.connection.pause(true);
  }

  failed(error: RpcFailure | KongRaised): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#reader?.reject(error);
    this.#reader = null;
  }

  #deliver(message: Message): void {
    if (this.#meter !== undefined) this.#meter.frames++;
    const reader = this.#reader;
    if (reader === null) {
      this.#waiting.push(message);
      return;
    }
    this.#reader = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    reader.resolve(message);
  }
}
