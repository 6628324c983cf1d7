import type { Socket } from 'node:net';
import { Change } from '../../../http/http1/index.ts';

/** What an upstream's connection receives, read when it is asked for, so that no more than one socket's buffer waits. */
export class SocketReader {
  readonly #socket: Socket;
  #ended = false;
  #failure: Error | null = null;
  readonly #change = new Change();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('readable', () => this.#change.happened());
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
    socket.on('error', (error) => {
      this.#failure = error;
      this.#change.happened();
    });
  }

  /** The next bytes, null at the end. @throws ReadTimeout, or the socket's error */
  async read(timeoutMs: number): Promise<Buffer | null> {
    for (;;) {
      const bytes = this.#socket.read() as Buffer | null;
      if (bytes !== null) return bytes;
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return null;
      await this.#change.within(timeoutMs);
    }
  }

  /** True while nothing has come that nobody has read. */
  get isQuiet(): boolean {
    return !this.#ended && this.#failure === null && this.#socket.readableLength === 0;
  }

  /** Calls `listener` once when something comes, or the connection ends. Null: no more. */
  watch(listener: (() => void) | null): void {
    this.#change.listen(listener);
  }

  #end(): void {
    this.#ended = true;
    this.#change.happened();
  }
}
