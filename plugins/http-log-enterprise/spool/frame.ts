import { crc32 } from 'node:zlib';

/** A record on disk: length, CRC-32 of the bytes (both 32 bit, little-endian), the bytes. */
export const headerSize = 8;

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

/**
 * Reads the record at an offset: its bytes and where the next one starts. Null at the end, and at a record that was
 * cut off or damaged by a crash: nothing after it can be trusted.
 */
export function readFrame(segment: Buffer, at: number): { bytes: Buffer; next: number } | null {
  if (at + headerSize > segment.length) return null;
  const length = segment.readUInt32LE(at);
  const next = at + headerSize + length;
  if (next > segment.length) return null;
  const bytes = segment.subarray(at + headerSize, next);
  return crc32(bytes) === segment.readUInt32LE(at + 4) ? { bytes, next } : null;
}
