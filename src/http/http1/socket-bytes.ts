import type { Socket } from 'node:net';

/** Bytes that may wait here before the socket is paused. */
const highWater = 64 * 1024;

/** Nothing came in time. */
export class ReadTimeout extends Error {
  override readonly name = 'ReadTimeout';
}

/** What a socket receives, read piece by piece: a bounded amount waits, and its end is seen at once. */
export class SocketBytes {
  private readonly socket: Socket;
  private waiting: Buffer[] = [];
  private size = 0;
  private ended = false;
  private wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => this.end());
    socket.on('close', () => this.end());
    socket.on('error', () => this.end());
  }

  /** All that has come, null at the end. @throws ReadTimeout after `timeoutMs` without a byte */
  async read(timeoutMs: number): Promise<Buffer | null> {
    if (this.size === 0 && !this.ended) await this.change(timeoutMs);
    if (this.size === 0) return null;
    const [only] = this.waiting;
    const bytes = this.waiting.length === 1 && only !== undefined ? only : Buffer.concat(this.waiting);
    this.waiting = [];
    this.size = 0;
    this.socket.resume();
    return bytes;
  }

  /** Puts bytes back that belong to what is read next. */
  unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.waiting.unshift(bytes);
    this.size += bytes.length;
  }

  /** Forgets what comes from now on. */
  discard(): void {
    this.socket.removeAllListeners('data').resume();
    this.waiting = [];
    this.size = 0;
  }

  private receive(chunk: Buffer): void {
    this.waiting.push(chunk);
    this.size += chunk.length;
    if (this.size > highWater) this.socket.pause();
    this.notify();
  }

  private end(): void {
    this.ended = true;
    this.notify();
  }

  private notify(): void {
    const { wake } = this;
    this.wake = null;
    wake?.();
  }

  private change(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake = null;
        reject(new ReadTimeout(`nothing came within ${String(timeoutMs)} ms`));
      }, timeoutMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
