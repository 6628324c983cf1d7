import { crc32 } from 'node:zlib';

/** A record on disk: length, CRC-32 of the bytes (both 32 bit, little-endian), the bytes. */
export const headerSize = 8;

const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The header of one record, written in front of its bytes. */
export function writeHeader(record: Buffer, target: Buffer, at: number): void {
  target.writeUInt32LE(record.length, at);
  target.writeUInt32LE(crc32(record), at + 4);
}

/** A record with its header, in one piece. */
export function frame(bytes: Buffer): Buffer {
  const header = Buffer.allocUnsafe(headerSize);
  writeHeader(bytes, header, 0);
  return Buffer.concat([header, bytes]);
}

export interface Frame {
  readonly bytes: Buffer;
  /** Where the next one starts. */
  readonly next: number;
}

/**
 * Reads the record at an offset. Null at the end, and at a record that was cut off or damaged by a crash. There are no
 * empty records, because a file that a crash of the machine has filled with zeros would look like them.
 */
export function readFrame(segment: Buffer, at: number): Frame | null {
  if (at + headerSize > segment.length) return null;
  const length = segment.readUInt32LE(at);
  const next = at + headerSize + length;
  if (length === 0 || next > segment.length) return null;
  const bytes = segment.subarray(at + headerSize, next);
  return crc32(bytes) === segment.readUInt32LE(at + 4) ? { bytes, next } : null;
}

/** How many bytes of a segment may be summed up while whole records are looked for, per byte that it has. */
const sumsPerByte = 4;

/**
 * Finds records behind damage. It checks only bytes that look like a JSON object, and counts those that it checks in
 * vain. So a file in which every byte could begin a record as long as itself costs four times its length, not its
 * square. Everything behind that counts as damage.
 */
export class FrameSearch {
  readonly #segment: Buffer;
  /** Bytes that may still be summed up in vain. */
  #left: number;

  constructor(segment: Buffer) {
    this.#segment = segment;
    this.#left = sumsPerByte * segment.length;
  }

  /** Where the next whole record starts; the segment's length when none is found. */
  find(from: number): number {
    const segment = this.#segment;
    let brace = segment.indexOf(openBrace, from + headerSize);
    for (; brace >= 0; brace = segment.indexOf(openBrace, brace + 1)) {
      const at = brace - headerSize;
      const length = segment.readUInt32LE(at);
      const end = brace + length;
      if (length === 0 || end > segment.length || segment[end - 1] !== closeBrace) continue;
      if (length > this.#left) break;
      if (readFrame(segment, at) !== null) return at;
      this.#left -= length;
    }
    return segment.length;
  }
}
