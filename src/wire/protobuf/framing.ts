import { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import { Gather } from '../gather.ts';
import { defaultMaxFrameBytes } from '../limits.ts';

const noBytes = Buffer.alloc(0);

/** Stands in the list of frames for one that was larger than the limit and has been skipped. */
export const skippedFrame = Buffer.alloc(0);
const headBytes = 4;

/**
 * Cuts a stream of ProtoBuf:1 into frames: a little-endian uint32 length, then that many bytes. Frames may be empty. A
 * frame that arrived in one piece is a view on its chunk. Only split frames are copied.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  /** Bytes of a head that is not complete yet. */
  readonly #head = Buffer.allocUnsafeSlow(headBytes);
  #headBytes = 0;
  /** Length of the frame whose body is being read, -1 while a head is awaited. */
  #length = -1;
  readonly #pieces = new Gather();
  readonly #skips: () => boolean;
  /** Bytes of a skipped frame that have yet to come. */
  #skipping = 0;

  /** @param options.skips asked when a frame is too large: true to read past it, false (the default) to throw */
  constructor(options: { maxFrameBytes?: number; skips?: () => boolean } = {}) {
    this.#maxFrameBytes = options.maxFrameBytes ?? defaultMaxFrameBytes;
    this.#skips = options.skips ?? (() => false);
  }

  /** The frame that `take` has completed, null while it goes on. */
  frame: Buffer | null = null;

  /**
   * Reads on from `at` to the end of one frame, or to the end of the chunk. At the end of a frame, `frame` has it.
   * @returns where it has stopped
   * @throws KongTsError FRAME_TOO_LARGE
   */
  take(chunk: Buffer, at: number): number {
    this.frame = null;
    let position = at;
    if (this.#length < 0 && this.#skipping === 0) {
      position = this.#readHead(chunk, position);
      if (this.#length < 0 && this.#skipping === 0) return position;
    }
    return this.#skipping > 0 ? this.#skip(chunk, position) : this.#readBody(chunk, position);
  }

  /** Takes the next bytes and returns the frames that they complete. @throws KongTsError FRAME_TOO_LARGE */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    for (let at = 0; at < chunk.length;) {
      at = this.take(chunk, at);
      if (this.frame !== null) frames.push(this.frame);
    }
    return frames;
  }

  /** True in the middle of a frame. */
  get partial(): boolean {
    return this.#headBytes > 0 || this.#length >= 0 || this.#skipping > 0;
  }

  /** What is kept of a frame that is not complete, in bytes. */
  get held(): number {
    return this.#pieces.room;
  }

  /** @throws KongTsError FRAME_TRUNCATED when the stream ended inside a frame */
  end(): void {
    if (!this.partial) return;
    throw new KongTsError(
      'FRAME_TRUNCATED',
      this.#length < 0
        ? `The connection ended after ${this.#headBytes} of the 4 bytes of a frame's length.`
        : `The connection ended after ${this.#pieces.bytes} of the ${this.#length} bytes of a frame.`,
    );
  }

  #skip(chunk: Buffer, at: number): number {
    const skipped = Math.min(this.#skipping, chunk.length - at);
    this.#skipping -= skipped;
    if (this.#skipping === 0) this.frame = skippedFrame;
    return at + skipped;
  }

  #readBody(chunk: Buffer, at: number): number {
    const missing = this.#length - this.#pieces.bytes;
    const available = chunk.length - at;
    if (available < missing) {
      if (available > 0) this.#pieces.add(chunk.subarray(at));
      return chunk.length;
    }
    this.#length = -1;
    this.frame = missing === 0 ? noBytes : chunk.subarray(at, at + missing);
    if (this.#pieces.bytes > 0) {
      this.#pieces.add(this.frame);
      this.frame = this.#pieces.take();
    }
    return at + missing;
  }

  #readHead(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#headBytes === 0 && chunk.length - at >= headBytes) {
      this.#setLength(chunk.readUInt32LE(at));
      return at + headBytes;
    }
    while (at < chunk.length && this.#headBytes < headBytes)
      this.#head[this.#headBytes++] = chunk[at++] as number;
    if (this.#headBytes === headBytes) {
      this.#headBytes = 0;
      this.#setLength(this.#head.readUInt32LE(0));
    }
    return at;
  }

  #setLength(length: number): void {
    if (length > this.#maxFrameBytes && this.#skips()) {
      this.#skipping = length;
      return;
    }
    if (length > this.#maxFrameBytes) {
      throw new KongTsError(
        'FRAME_TOO_LARGE',
        `A frame of ${length} bytes is larger than the limit of ${this.#maxFrameBytes} bytes.`,
      );
    }
    this.#length = length;
  }
}

/** One frame: its length and its bytes. */
export function encodeFrame(body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + body.length);
  frame.writeUInt32LE(body.length, 0);
  frame.set(body, headBytes);
  return frame;
}
