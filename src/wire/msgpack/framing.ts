import type { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import { Gather } from '../gather.ts';
import { defaultMaxFrameBytes } from '../limits.ts';
import { decodeValue, malformed } from './reader.ts';

/**
 * Cuts a stream into MessagePack values and decodes them: `str` is text (see text.ts), `bin` a Buffer, integers that a
 * number cannot hold are bigints, maps are plain objects whose keys are text. A value is decoded when all its bytes are
 * there. It keeps nothing of the buffers that it came in.
 */
export class MessageDecoder {
  readonly #framing: Framing;
  readonly #pieces = new Gather();

  constructor(options: { maxMessageBytes?: number } = {}) {
    this.#framing = new Framing(options.maxMessageBytes ?? defaultMaxFrameBytes);
  }

  /** The bytes of the value that `take` has completed, null while it goes on; a view on the chunk, or a copy. */
  whole: Buffer | null = null;

  /**
   * Reads on from `at` to the end of one value, or to the end of the chunk. At the end of a value, `whole` has its
   * bytes.
   * @returns where it has stopped
   * @throws KongTsError FRAME_TOO_LARGE
   */
  take(chunk: Buffer, at: number): number {
    this.whole = null;
    let end: number;
    try {
      end = this.#framing.scan(chunk, at);
    } catch (error) {
      this.#pieces.add(chunk.subarray(at));
      throw error;
    }
    const last = end < 0 ? chunk.subarray(at) : chunk.subarray(at, end);
    if (end >= 0 && this.#pieces.bytes === 0) this.whole = last;
    else {
      this.#pieces.add(last);
      if (end >= 0) this.whole = this.#pieces.take();
    }
    return end < 0 ? chunk.length : end;
  }

  /** What has come of a value that is not complete. */
  get begun(): Buffer {
    return this.#pieces.look();
  }

  /**
   * Takes the next bytes and returns the values that they complete.
   * @throws KongTsError FRAME_TOO_LARGE, FRAME_MALFORMED
   */
  push(chunk: Buffer): unknown[] {
    const values: unknown[] = [];
    for (let at = 0; at < chunk.length;) {
      at = this.take(chunk, at);
      if (this.whole !== null) values.push(decodeValue(this.whole));
    }
    return values;
  }

  /** True in the middle of a value. */
  get partial(): boolean {
    return this.#pieces.bytes > 0;
  }

  /** What is kept of a value that is not complete, in bytes. */
  get held(): number {
    return this.#pieces.room;
  }

  /** @throws KongTsError FRAME_TRUNCATED when the stream ended inside a value */
  end(): void {
    if (!this.partial) return;
    throw new KongTsError(
      'FRAME_TRUNCATED',
      `The connection ended in the middle of a message, after ${this.#pieces.bytes} of its bytes.`,
    );
  }
}

/** Decodes one value that fills the buffer. @throws KongTsError FRAME_TRUNCATED, FRAME_MALFORMED */
export function decode(bytes: Buffer): unknown {
  const decoder = new MessageDecoder({ maxMessageBytes: Math.max(bytes.length, 1) });
  const values = decoder.push(bytes);
  decoder.end();
  if (values.length !== 1) malformed(`there are ${values.length} values where one was expected`);
  return values[0];
}

/**
 * Finds where MessagePack values end in a stream. It looks at every byte once, however the stream is split. It counts
 * the values that are still to come and the bytes that can be passed over, and keeps nothing else.
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
        // Every value that is still to come has a byte at least. So a message that is too large is found before its
        // bytes are kept.
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
 * For the heads c0 to df: bytes that follow, or (negative) bytes of a length that follows. `c1` does not start a value.
 * It counts as a byte, so that the message around it has an end. Decoding it is an error.
 */
const widths = [
  0, 0, 0, 0, -1, -2, -4, -1, -2, -4, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, -1, -2, -4, -2, -4, -2,
  -4,
];
