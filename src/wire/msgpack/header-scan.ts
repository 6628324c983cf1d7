import { Buffer } from 'node:buffer';
import type { HeaderTable, Line, Lines } from '../../base/header-table.ts';
import { decodeText } from '../../base/text.ts';
import { ScannedHeaders } from '../scanned-headers.ts';

/** A step whose result is a table of headers, none of which is decoded. */
export interface HeaderStep {
  /** Of the request. */
  readonly id: number;
  readonly eventId: number;
  readonly table: HeaderTable;
}

/**
 * Looks a request of Kong over whose message the framing has checked.
 *
 * @param wants whether the call that an event waits for wants single headers only
 * @returns null for what is no plain step with headers or is not wanted: it is to be decoded
 */
export function scanHeaderStep(bytes: Buffer, wants: (eventId: number) => boolean): HeaderStep | null {
  const scan = new Scan(bytes);
  // [0, id, method, [{EventId, Data}]]
  if (!scan.is(0x94) || !scan.is(0x00)) return null;
  const id = scan.number();
  if (id < 0 || !scan.oneOf(methods) || !scan.is(0x91) || !scan.is(0x82)) return null;
  const [eventId, table] = scan.startsWith(dataKey) ? scan.dataFirst() : scan.eventFirst(wants);
  return table === null || !scan.isAtEnd || !wants(eventId) ? null : { id, eventId, table };
}

const text = (value: string): Buffer => Buffer.concat([Buffer.of(0xa0 + value.length), Buffer.from(value)]);
const methods = ['plugin.StepMultiMap', 'plugin.Step'].map(text);
const dataKey = text('Data');
const eventKey = text('EventId');

const none: readonly [number, null] = [-1, null];

class Scan {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  is(byte: number): boolean {
    return this.#bytes[this.#at++] === byte;
  }

  startsWith(expected: Buffer): boolean {
    const end = this.#at + expected.length;
    if (end > this.#bytes.length) return false;
    for (let i = 0; i < expected.length; i++) if (this.#bytes[this.#at + i] !== expected[i]) return false;
    this.#at = end;
    return true;
  }

  oneOf(texts: readonly Buffer[]): boolean {
    return texts.some((one) => this.startsWith(one));
  }

  /** A number that is not negative and has at most 32 bits, -1 for anything else. */
  number(): number {
    const byte = this.#bytes[this.#at++] ?? 0xc0;
    if (byte < 0x80) return byte;
    if (byte < 0xcc || byte > 0xce) return -1;
    return this.#uint(1 << (byte - 0xcc));
  }

  dataFirst(): readonly [number, HeaderTable | null] {
    const table = this.#table();
    if (table === null || !this.startsWith(eventKey)) return none;
    return [this.number(), table];
  }

  eventFirst(wants: (eventId: number) => boolean): readonly [number, HeaderTable | null] {
    if (!this.startsWith(eventKey)) return none;
    const eventId = this.number();
    if (eventId < 0 || !wants(eventId) || !this.startsWith(dataKey)) return none;
    return [eventId, this.#table()];
  }

  /** Null where it is anything but a map of texts to texts, nils or lists of them. */
  #table(): HeaderTable | null {
    const byte = this.#bytes[this.#at++] ?? 0xc0;
    const size = byte === 0xde ? this.#uint(2) : byte >= 0x80 && byte < 0x90 ? byte & 0x0f : -1;
    if (size < 0) return null;
    const table = new ScannedHeaders(this.#bytes, readLines);
    for (let count = 0; count < size; count++) {
      const length = this.#textLength();
      if (length < 0) return null;
      const nameStart = this.#at;
      const nameEnd = (this.#at += length);
      const linesAt = this.#at;
      const lines = this.#lines();
      if (lines === 0) return null;
      table.add(nameStart, nameEnd, linesAt, lines);
    }
    return this.#at <= this.#bytes.length ? table : null;
  }

  /** Passes over the lines of a header. Returns how many there are, 0 for what is none. */
  #lines(): number {
    const byte = this.#bytes[this.#at] ?? 0;
    let count = 1;
    if (byte === 0xdc || (byte > 0x90 && byte < 0xa0)) {
      this.#at++;
      count = byte === 0xdc ? this.#uint(2) : byte & 0x0f;
    }
    for (let left = count; left > 0; left--) {
      if (this.#bytes[this.#at] === 0xc0) this.#at++;
      else {
        const length = this.#textLength();
        if (length < 0) return 0;
        this.#at += length;
      }
    }
    return count;
  }

  /** Reads the length of a text, -1 for anything else. */
  #textLength(): number {
    const byte = this.#bytes[this.#at++] ?? 0;
    if (byte >= 0xa0 && byte < 0xc0) return byte & 0x1f;
    if (byte === 0xd9) return this.#uint(1);
    return byte === 0xda ? this.#uint(2) : -1;
  }

  #uint(length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + (this.#bytes[this.#at++] ?? 0);
    return value;
  }
}

/** Reads the lines of a header that the scan has passed over. */
function readLines(bytes: Buffer, at: number): Lines {
  const byte = bytes[at] as number;
  if (byte !== 0xdc && !(byte > 0x90 && byte < 0xa0)) return readLine(bytes, at)[0];
  const count = byte === 0xdc ? bytes.readUInt16BE(at + 1) : byte & 0x0f;
  const lines: Line[] = [];
  let next = at + (byte === 0xdc ? 3 : 1);
  while (lines.length < count) {
    const [line, end] = readLine(bytes, next);
    lines.push(line);
    next = end;
  }
  return lines;
}

function readLine(bytes: Buffer, at: number): readonly [Line, end: number] {
  const byte = bytes[at] as number;
  if (byte === 0xc0) return [null, at + 1];
  const size = byte === 0xd9 ? 1 : byte === 0xda ? 2 : 0;
  const length = size === 0 ? byte & 0x1f : bytes.readUIntBE(at + 1, size);
  const start = at + 1 + size;
  return [decodeText(bytes, start, start + length), start + length];
}
