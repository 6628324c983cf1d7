import { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import { decodeText } from '../../base/text.ts';
import { bytesType, fixed32Type, fixed64Type, varintType } from './writer.ts';

/** How deep messages and values may nest in bytes from the network. */
export const maxDepth = 64;

/** @throws KongTsError FRAME_MALFORMED */
export function malformed(what: string): never {
  throw new KongTsError('FRAME_MALFORMED', `The bytes are not a message of ProtoBuf:1: ${what}.`);
}

/** Reads the parts of one message. Every length is checked against the message's end before it is used. */
export class Reader {
  readonly buffer: Buffer;
  position: number;
  end: number;

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  get more(): boolean {
    return this.position < this.end;
  }

  /** The next field's key: number * 8 + wire type. */
  key(): number {
    const key = this.uint();
    if (key < 8 || key > 0xffffffff) malformed(`there is no field with the key ${key}`);
    return key;
  }

  /** An unsigned varint as a number; above 2^53 it is not exact (lengths and keys never get there). */
  uint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.position >= this.end) malformed('a number is cut off');
      const byte = this.buffer[this.position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return malformed('a number has more than ten bytes');
  }

  /** An int64: a number where it is exact, a bigint where it is not. */
  int64(): number | bigint {
    const start = this.position;
    const value = this.uint();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    let big = 0n;
    for (let at = start, shift = 0n; at < this.position; at++, shift += 7n) {
      big |= BigInt((this.buffer[at] as number) & 0x7f) << shift;
    }
    const signed = BigInt.asIntN(64, big);
    const small = Number(signed);
    return Number.isSafeInteger(small) ? small : signed;
  }

  /** An int32; longer values are cut as every protobuf reader does. */
  int32(): number {
    const value = this.int64();
    return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value));
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  double(): number {
    if (this.end - this.position < 8) malformed('a number is cut off');
    const value = this.buffer.readDoubleLE(this.position);
    this.position += 8;
    return value;
  }

  /** Reads a length and returns where that part ends. The position is then at the part's start. */
  part(): number {
    const length = this.uint();
    if (length > this.end - this.position) malformed('a part is longer than its message');
    return this.position + length;
  }

  text(): string {
    const end = this.part();
    const text = decodeText(this.buffer, this.position, end);
    this.position = end;
    return text;
  }

  /** Bytes as a copy, because the buffer of the message is written over later. */
  blob(): Buffer {
    const end = this.part();
    const bytes = Buffer.from(this.buffer.subarray(this.position, end));
    this.position = end;
    return bytes;
  }

  /** Passes over a field that is not known here. */
  skip(key: number): void {
    switch (key & 7) {
      case varintType:
        this.uint();
        return;
      case fixed64Type:
        this.#advance(8);
        return;
      case bytesType:
        this.position = this.part();
        return;
      case fixed32Type:
        this.#advance(4);
        return;
      default:
        malformed(`there is no wire type ${key & 7}`);
    }
  }

  #advance(bytes: number): void {
    if (this.end - this.position < bytes) malformed('a field is cut off');
    this.position += bytes;
  }
}
