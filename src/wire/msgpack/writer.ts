import { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import { textByteLength, writeText } from '../../base/text.ts';

/** How deep arrays and maps may nest, in both directions. */
export const maxDepth = 64;

/** A growing buffer that values are written into back to back. */
export class MessageWriter {
  buffer: Buffer;
  position = 0;

  /** @param initialBytes room that is allocated at once */
  constructor(initialBytes = 256) {
    this.buffer = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** What was written, as a view: valid until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.position);
  }

  ensure(more: number): void {
    const needed = this.position + more;
    if (needed <= this.buffer.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(bigger, 0, 0, this.position);
    this.buffer = bigger;
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  nil(): void {
    this.#head(0xc0);
  }

  bool(value: boolean): void {
    this.#head(value ? 0xc3 : 0xc2);
  }

  /** An integer takes the shortest form. A number that is not an exact integer is a double. */
  number(value: number): void {
    if (value >= 0 && value < 0x80 && Number.isInteger(value) && !Object.is(value, -0)) this.#head(value);
    else if (Number.isSafeInteger(value) && value !== 0) this.#integer(value);
    else {
      this.#head(0xcb, 8);
      this.position = this.buffer.writeDoubleBE(value, this.position);
    }
  }

  #integer(value: number): void {
    const at = this.position + 1;
    if (value >= 0) {
      if (value <= 0xff) this.position = this.#head(0xcc, 1).writeUInt8(value, at);
      else if (value <= 0xffff) this.position = this.#head(0xcd, 2).writeUInt16BE(value, at);
      else if (value <= 0xffffffff) this.position = this.#head(0xce, 4).writeUInt32BE(value, at);
      else this.position = this.#head(0xcf, 8).writeBigUInt64BE(BigInt(value), at);
    } else if (value >= -0x20) this.#head(0x100 + value);
    else if (value >= -0x80) this.position = this.#head(0xd0, 1).writeInt8(value, at);
    else if (value >= -0x8000) this.position = this.#head(0xd1, 2).writeInt16BE(value, at);
    else if (value >= -0x80000000) this.position = this.#head(0xd2, 4).writeInt32BE(value, at);
    else this.position = this.#head(0xd3, 8).writeBigInt64BE(BigInt(value), at);
  }

  bigint(value: bigint): void {
    if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.number(Number(value));
    } else if (value < 0n) {
      this.#head(0xd3, 8);
      this.position = this.buffer.writeBigInt64BE(BigInt.asIntN(64, value), this.position);
    } else {
      this.#head(0xcf, 8);
      this.position = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), this.position);
    }
  }

  text(value: string): void {
    if (value.length * 3 < 32) {
      this.ensure(1 + value.length * 3);
      const written = writeText(value, this.buffer, this.position + 1);
      this.buffer[this.position] = 0xa0 | written;
      this.position += written + 1;
      return;
    }
    const length = textByteLength(value);
    this.#stringHead(length);
    this.ensure(length);
    this.position += writeText(value, this.buffer, this.position);
  }

  /** Bytes as `bin`. */
  bin(bytes: Uint8Array): void {
    this.#sized(bytes.length, 0xc4, 0xc5, 0xc6);
    this.raw(bytes);
  }

  array(length: number): void {
    if (length < 16) this.#head(0x90 | length);
    else this.#sized(length, -1, 0xdc, 0xdd);
  }

  map(size: number): void {
    if (size < 16) this.#head(0x80 | size);
    else this.#sized(size, -1, 0xde, 0xdf);
  }

  /** Any value. @throws KongTsError PDK_INVALID_ARGUMENT for what MessagePack cannot carry */
  value(value: unknown, depth = 0): void {
    switch (typeof value) {
      case 'string':
        this.text(value);
        return;
      case 'number':
        this.number(value);
        return;
      case 'boolean':
        this.bool(value);
        return;
      case 'bigint':
        this.bigint(value);
        return;
      case 'undefined':
        this.nil();
        return;
      case 'object':
        this.#object(value, depth);
        return;
      default:
        throw new KongTsError('PDK_INVALID_ARGUMENT', `A ${typeof value} cannot be sent to Kong.`);
    }
  }

  #object(value: object | null, depth: number): void {
    if (value === null) this.nil();
    else if (value instanceof Uint8Array) this.bin(value);
    else if (depth >= maxDepth) {
      throw new KongTsError(
        'PDK_INVALID_ARGUMENT',
        `A value nests more than ${maxDepth} levels deep, or contains itself.`,
        { fix: 'Send a flatter value.' },
      );
    } else if (Array.isArray(value)) {
      this.array(value.length);
      for (const item of value) this.value(item, depth + 1);
    } else if ('toJSON' in value && typeof value.toJSON === 'function') {
      this.value((value as { toJSON(): unknown }).toJSON(), depth + 1);
    } else this.#properties(value as Record<string, unknown>, depth + 1);
  }

  #properties(object: Record<string, unknown>, depth: number): void {
    const names = Object.keys(object);
    let size = 0;
    for (const name of names) if (object[name] !== undefined) size++;
    this.map(size);
    for (const name of names) {
      const value = object[name];
      if (value === undefined) continue;
      this.text(name);
      this.value(value, depth);
    }
  }

  #stringHead(length: number): void {
    if (length < 32) this.#head(0xa0 | length);
    else this.#sized(length, 0xd9, 0xda, 0xdb);
  }

  /** Writes a head byte and makes room for what follows it. */
  #head(byte: number, more = 0): Buffer {
    this.ensure(1 + more);
    this.buffer[this.position++] = byte;
    return this.buffer;
  }

  #sized(length: number, one: number, two: number, four: number): void {
    if (length <= 0xff && one >= 0) this.position = this.#head(one, 1).writeUInt8(length, this.position);
    else if (length <= 0xffff) this.position = this.#head(two, 2).writeUInt16BE(length, this.position);
    else this.position = this.#head(four, 4).writeUInt32BE(length, this.position);
  }
}

/** A writer that is kept for the next value. A buffer that has grown large is given back. */
const maxKeptBytes = 64 * 1024;
let spare: MessageWriter | null = null;

/** One value as bytes of its own. @throws KongTsError PDK_INVALID_ARGUMENT for what MessagePack cannot carry */
export function encode(value: unknown): Buffer {
  // A value's toJSON may encode something itself, which needs another writer.
  const writer = spare ?? new MessageWriter();
  spare = null;
  writer.position = 0;
  try {
    writer.value(value);
    return Buffer.from(writer.view());
  } finally {
    if (writer.buffer.length <= maxKeptBytes) spare = writer;
  }
}
