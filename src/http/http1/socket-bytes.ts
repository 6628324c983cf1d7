import type { Socket } from 'node:net';
import { Change } from './change.ts';

/** Bytes that may wait here before the socket is paused. */
const highWater = 64 * 1024;

/** What a socket receives, read piece by piece: a bounded amount waits, and its end is seen at once. */
export class SocketBytes {
  readonly #socket: Socket;
  #waiting: Buffer[] = [];
  #size = 0;
  #ended = false;
  readonly #change = new Change();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
    socket.on('error', () => this.#end());
  }

  /** All that has come, null at the end. @throws ReadTimeout after `timeoutMs` without a byte */
  async read(timeoutMs: number): Promise<Buffer | null> {
    if (this.#size === 0 && !this.#ended) await this.#change.within(timeoutMs);
    if (this.#size === 0) return null;
    const [only] = this.#waiting;
    const bytes = this.#waiting.length === 1 && only !== undefined ? only : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#size = 0;
    this.#socket.resume();
    return bytes;
  }

  /** Puts bytes back that belong to what is read next. */
  unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#waiting.unshift(bytes);
    this.#size += bytes.length;
  }

  /** Forgets what comes from now on. */
  discard(): void {
    this.#socket.removeAllListeners('data').resume();
    this.#waiting = [];
    this.#size = 0;
  }

  #receive(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#size += chunk.length;
    if (this.#size > highWater) this.#socket.pause();
    this.#change.happened();
  }

  #end(): void {
    this.#ended = true;
    this.#change.happened();
  }
}
