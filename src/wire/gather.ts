import { Buffer } from 'node:buffer';

const firstBytes = 1024;

/**
 * Puts the pieces of a split message together. The room grows by doubling: one byte at a time costs no more memory
 * than the message, and nothing is allocated for bytes that have not come.
 */
export class Gather {
  #buffer: Buffer | null = null;
  #bytes = 0;

  /** Bytes that were added since the last `take`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How much memory the gatherer takes, in bytes. */
  get room(): number {
    return this.#buffer?.length ?? 0;
  }

  add(piece: Buffer): void {
    const needed = this.#bytes + piece.length;
    if (this.#buffer === null || needed > this.#buffer.length) {
      const bigger = Buffer.allocUnsafeSlow(Math.max(firstBytes, needed, (this.#buffer?.length ?? 0) * 2));
      this.#buffer?.copy(bigger, 0, 0, this.#bytes);
      this.#buffer = bigger;
    }
    piece.copy(this.#buffer, this.#bytes);
    this.#bytes = needed;
  }

  /** What has been added so far: a view that the next `add` may outdate. */
  look(): Buffer {
    return (this.#buffer ?? Buffer.alloc(0)).subarray(0, this.#bytes);
  }

  /** Returns the message. The next message starts from nothing. */
  take(): Buffer {
    const whole = (this.#buffer ?? Buffer.alloc(0)).subarray(0, this.#bytes);
    this.#buffer = null;
    this.#bytes = 0;
    return whole;
  }
}
