import type { Socket } from 'node:net';
import { headSpace, writePostHead } from './post-request.ts';
import type { Exchange, Leaving } from './post-request.ts';

interface Piece {
  readonly bytes: Buffer;
  /** The socket does not hold on to it any more. */
  readonly left?: () => void;
}

const blockSize = 65_536;
/** A longer body is not copied. */
const longestCopied = 16_384;

/** What is written to one connection in one turn of the event loop: it goes to the system in one piece. */
export class Outgoing {
  #block: Buffer | null = null;
  #used = 0;
  #pieces: Piece[] = [];

  get isEmpty(): boolean {
    return this.#used === 0 && this.#pieces.length === 0;
  }

  add(exchange: Exchange): void {
    const { head, body } = exchange;
    const room = headSpace(head);
    const copied = body.length <= longestCopied;
    this.#makeRoom(room + (copied ? body.length : 0));
    const block = (this.#block ??= Buffer.allocUnsafeSlow(blockSize));
    this.#used = writePostHead(head, body.length, block, this.#used);
    if (copied) {
      body.copy(block, this.#used);
      this.#used += body.length;
      return;
    }
    this.#cut();
    this.#pieces.push({ bytes: body, left: leave(exchange) });
  }

  /** Hands everything to the socket. */
  flush(socket: Socket): void {
    const pieces = this.#pieces;
    if (pieces.length === 0 && this.#block !== null) {
      socket.write(this.#block.subarray(0, this.#used));
      // What the system has taken at once is nobody's any more.
      if (socket.writableLength > 0) this.#block = null;
      this.#used = 0;
      return;
    }
    this.#cut();
    this.#pieces = [];
    socket.cork();
    for (const { bytes, left } of pieces) socket.write(bytes, left);
    socket.uncork();
  }

  clear(): void {
    this.#block = null;
    this.#pieces = [];
    this.#used = 0;
  }

  #makeRoom(size: number): void {
    if (this.#used + size <= (this.#block?.length ?? blockSize)) return;
    this.#cut();
    if (size > blockSize) this.#block = Buffer.allocUnsafeSlow(size);
  }

  /** What the block holds becomes a piece. */
  #cut(): void {
    if (this.#block !== null && this.#used > 0)
      this.#pieces.push({ bytes: this.#block.subarray(0, this.#used) });
    this.#block = null;
    this.#used = 0;
  }
}

/** Notes that the body is not copied. Returns what ends that: another attempt may be under way by then. */
function leave(exchange: Exchange): () => void {
  const leaving: Leaving = { then: null };
  exchange.leaving = leaving;
  return () => {
    if (exchange.leaving === leaving) exchange.leaving = null;
    leaving.then?.();
  };
}
