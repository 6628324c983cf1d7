import type { Socket } from 'node:net';

/** Nothing came in time. */
export class ReadTimedOut extends Error {
  override readonly name = 'ReadTimedOut';
}

/** What an upstream's connection receives, read when it is asked for, so that no more than one socket's buffer waits. */
export class SocketReader {
  private readonly socket: Socket;
  private ended = false;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('readable', () => this.notify());
    socket.on('end', () => this.end());
    socket.on('close', () => this.end());
    socket.on('error', (error) => {
      this.failure = error;
      this.notify();
    });
  }

  /** The next bytes, null at the end. @throws ReadTimedOut, or the socket's error */
  async read(timeoutMs: number): Promise<Buffer | null> {
    for (;;) {
      const bytes = this.socket.read() as Buffer | null;
      if (bytes !== null) return bytes;
      if (this.failure !== null) throw this.failure;
      if (this.ended) return null;
      await this.change(timeoutMs);
    }
  }

  /** True while nothing has come that nobody has read. */
  get isQuiet(): boolean {
    return !this.ended && this.failure === null && this.socket.readableLength === 0;
  }

  /** Calls `listener` once when something comes, or the connection ends. Null: no more. */
  watch(listener: (() => void) | null): void {
    this.wake = listener;
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
        reject(new ReadTimedOut(`nothing came within ${String(timeoutMs)} ms`));
      }, timeoutMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
