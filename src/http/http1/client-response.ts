import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { WriteFailed, writeTo } from './socket-writer.ts';

/** nginx's send_timeout: how long a client may take nothing, in milliseconds. */
const sendTimeoutMs = 60_000;

/**
 * The client's side of an answer. It writes head and body byte by byte as they are given: node:http's own writes no words
 * for a status but its own, no header twice that it thinks single, and none that it thinks wrong. Emits `close` once, when
 * the answer is on its way as a whole or the connection has ended before that.
 */
export class ClientResponse extends EventEmitter<{ close: [] }> {
  readonly #socket: Socket;
  #waiting: Buffer | null = null;
  #closed = false;
  /** Bytes that were handed to the connection. */
  bytes = 0;
  /** A head was given: the client gets this answer or none. */
  headersSent = false;
  /** The whole answer is on its way. */
  finished = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.once('close', this.#onClose);
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** `100 Continue`, ahead of the answer. */
  writeContinue(): void {
    if (!this.destroyed) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  /** The head, which is sent together with the first bytes of the body. */
  head(bytes: Buffer): void {
    if (this.destroyed) return;
    this.headersSent = true;
    this.#waiting = bytes;
    this.bytes += bytes.length;
  }

  /** Sends bytes of the body. Resolves when the client takes more. @throws WriteFailed */
  async body(bytes: Buffer): Promise<void> {
    if (this.destroyed) throw new WriteFailed('the connection has ended');
    this.bytes += bytes.length;
    this.#cork();
    this.#writeHead();
    await writeTo(this.#socket, bytes, sendTimeoutMs);
  }

  /** The answer is whole: resolves when it is on its way, or the client has gone. */
  end(): Promise<void> {
    if (this.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.once('close', resolve);
      this.#writeHead();
      this.#socket.write('', (error) => {
        if (error === undefined || error === null) this.finished = true;
        this.#onClose();
      });
    });
  }

  /** Cuts the connection off; what was not sent until now is not sent any more. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** The connection goes on without this answer. */
  release(): void {
    this.#socket.off('close', this.#onClose);
  }

  #writeHead(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null && waiting.length > 0) this.#socket.write(waiting);
  }

  /** What is written in one turn goes out in one piece. */
  #cork(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
  }

  readonly #onClose = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.emit('close');
  };
}
