import { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import { setOwn } from '../../base/set-own.ts';
import { decodeText } from '../../base/text.ts';
import { maxDepth } from './writer.ts';

/** @throws KongTsError FRAME_MALFORMED */
export function malformed(what: string): never {
  throw new KongTsError('FRAME_MALFORMED', `The bytes are not a message of MsgPack:1: ${what}.`);
}

/** Decodes the first value of bytes that the framing has checked. @throws KongTsError FRAME_MALFORMED */
export function decodeValue(bytes: Buffer): unknown {
  return new ValueReader(bytes, 0, bytes.length).value(0);
}

/**
 * The first elements of an array. The rest may be missing or unreadable. Bytes that are not an array have none.
 * @param wanted how many at most
 */
export function firstElements(bytes: Buffer, wanted: number): unknown[] {
  const elements: unknown[] = [];
  try {
    const reader = new ValueReader(bytes, 0, bytes.length);
    const count = Math.min(reader.arrayHead(), wanted);
    while (elements.length < count) elements.push(reader.value(1));
  } catch {
    // The caller asks only for what can be read.
  }
  return elements;
}

/** Reads values whose extent the framing has checked. */
class ValueReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.#buffer = buffer;
    this.#at = at;
    this.#end = end;
  }

  /** How many elements the array at this place has; 0 where there is no array. */
  arrayHead(): number {
    const byte = this.#uint(1);
    if (byte === 0xdc) return this.#uint(2);
    if (byte === 0xdd) return this.#uint(4);
    return byte >= 0x90 && byte < 0xa0 ? byte & 0x0f : 0;
  }

  value(depth: number): unknown {
    const byte = this.#uint(1);
    if (byte < 0x80) return byte;
    if (byte >= 0xe0) return byte - 0x100;
    if (byte >= 0xa0 && byte < 0xc0) return this.#text(byte & 0x1f);
    if (byte < 0x90) return this.#map(byte & 0x0f, depth);
    if (byte < 0xa0) return this.#array(byte & 0x0f, depth);
    return this.#typed(byte, depth);
  }

  #typed(byte: number, depth: number): unknown {
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#bytes(this.#uint(1));
      case 0xc5:
        return this.#bytes(this.#uint(2));
      case 0xc6:
        return this.#bytes(this.#uint(4));
      case 0xca:
        return this.#buffer.readFloatBE(this.#pass(4));
      case 0xcb:
        return this.#buffer.readDoubleBE(this.#pass(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return exact(this.#buffer.readBigUInt64BE(this.#pass(8)));
      case 0xd0:
        return this.#buffer.readInt8(this.#pass(1));
      case 0xd1:
        return this.#buffer.readInt16BE(this.#pass(2));
      case 0xd2:
        return this.#buffer.readInt32BE(this.#pass(4));
      case 0xd3:
        return exact(this.#buffer.readBigInt64BE(this.#pass(8)));
      case 0xd9:
        return this.#text(this.#uint(1));
      case 0xda:
        return this.#text(this.#uint(2));
      case 0xdb:
        return this.#text(this.#uint(4));
      case 0xdc:
        return this.#array(this.#uint(2), depth);
      case 0xdd:
        return this.#array(this.#uint(4), depth);
      case 0xde:
        return this.#map(this.#uint(2), depth);
      case 0xdf:
        return this.#map(this.#uint(4), depth);
      default:
        return malformed(`Kong sends no values that start with ${byte.toString(16)}`);
    }
  }

  /** Passes over `length` bytes and returns where they start. */
  #pass(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) malformed('a value is cut off');
    this.#at = start + length;
    return start;
  }

  #uint(length: 1 | 2 | 4): number {
    const at = this.#pass(length);
    if (length === 1) return this.#buffer[at] as number;
    return length === 2 ? this.#buffer.readUInt16BE(at) : this.#buffer.readUInt32BE(at);
  }

  #text(length: number): string {
    const at = this.#pass(length);
    return decodeText(this.#buffer, at, at + length);
  }

  #bytes(length: number): Buffer {
    const at = this.#pass(length);
    return Buffer.from(this.#buffer.subarray(at, at + length));
  }

  #array(length: number, depth: number): unknown[] {
    checkDepth(depth);
    const values: unknown[] = [];
    for (let count = 0; count < length; count++) values.push(this.value(depth + 1));
    return values;
  }

  #map(size: number, depth: number): Record<string, unknown> {
    checkDepth(depth);
    const object: Record<string, unknown> = {};
    for (let count = 0; count < size; count++) {
      const name = keyText(this.value(depth + 1));
      setOwn(object, name, this.value(depth + 1));
    }
    return object;
  }
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
  return malformed('a map has a key that is neither text nor number');
}

function checkDepth(depth: number): void {
  if (depth > maxDepth) malformed(`values nest more than ${maxDepth} levels deep`);
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
