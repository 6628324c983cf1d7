import type { Buffer } from 'node:buffer';
import { KongTsError } from '../../errors.ts';

/** @throws KongTsError FRAME_MALFORMED */
export function malformed(what: string): never {
  throw new KongTsError('FRAME_MALFORMED', `The bytes are no message of MsgPack:1: ${what}.`);
}

/**
 * Finds where MessagePack values end in a stream, looking at every byte once, however it is split: it counts the
 * values that are still to come and the bytes that can be passed over, and keeps nothing else.
 */
export class Framing {
  readonly #maxBytes: number;
  /** Values that complete the current message. */
  #values = 1;
  /** Bytes of contents that can be passed over. */
  #skip = 0;
  /** Bytes of a length that is being read, and what follows it. */
  #lengthBytes = 0;
  #length = 0;
  #head = 0;
  /** Bytes of the current message in earlier chunks. */
  #seen = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reads on from `at`; returns where the message ends, or -1 when it goes on. @throws KongTsError */
  scan(chunk: Buffer, at: number): number {
    let position = at;
    while (position < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - position);
        this.#skip -= step;
        position += step;
      } else {
        const byte = chunk[position++] as number;
        if (this.#lengthBytes > 0) this.#readLength(byte);
        else this.#readHead(byte);
        // Every value that is still to come has a byte at least: too much is found out before it is kept.
        const atLeast = this.#seen + (position - at) + this.#skip + this.#values;
        if (atLeast > this.#maxBytes) this.#tooLarge(atLeast);
      }
      if (this.#values === 0 && this.#skip === 0 && this.#lengthBytes === 0) {
        this.#values = 1;
        this.#seen = 0;
        return position;
      }
    }
    this.#seen += position - at;
    return -1;
  }

  #readHead(byte: number): void {
    this.#values--;
    if (byte < 0x80 || byte >= 0xe0) return;
    if (byte < 0x90) this.#values += (byte & 0x0f) * 2;
    else if (byte < 0xa0) this.#values += byte & 0x0f;
    else if (byte < 0xc0) this.#skip = byte & 0x1f;
    else this.#readTypedHead(byte);
  }

  #readTypedHead(byte: number): void {
    const width = widths[byte - 0xc0] as number;
    if (width >= 0) {
      this.#skip = width;
      return;
    }
    this.#head = byte;
    this.#length = 0;
    this.#lengthBytes = -width;
  }

  #readLength(byte: number): void {
    this.#length = this.#length * 256 + byte;
    if (--this.#lengthBytes > 0) return;
    if (this.#head === 0xdc || this.#head === 0xdd) this.#values += this.#length;
    else if (this.#head === 0xde || this.#head === 0xdf) this.#values += this.#length * 2;
    else this.#skip = this.#length + (this.#head >= 0xc7 && this.#head <= 0xc9 ? 1 : 0);
  }

  #tooLarge(bytes: number): never {
    throw new KongTsError(
      'FRAME_TOO_LARGE',
      `A message of at least ${bytes} bytes is larger than the limit of ${this.#maxBytes} bytes.`,
    );
  }
}

/**
 * For the heads c0 to df: bytes that follow, or (negative) bytes of a length that follows. `c1`, which starts no value,
 * counts as a byte, so that the message around it has an end; decoding it is an error.
 */
const widths = [
  0, 0, 0, 0, -1, -2, -4, -1, -2, -4, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, -1, -2, -4, -2, -4, -2,
  -4,
];
