import type { Buffer } from 'node:buffer';
import type { HeaderTable, Line, Lines } from '../../base/header-table.ts';
import { decodeText } from '../../base/text.ts';
import { ScannedHeaders } from '../scanned-headers.ts';
import { bytesType } from './writer.ts';

/** Keys of Struct.fields, of an entry's key and value, of Value.string_value and list_value, of ListValue.values. */
const entryKey = 1 * 8 + bytesType;
const nameKey = 1 * 8 + bytesType;
const valueKey = 2 * 8 + bytesType;
const textKey = 3 * 8 + bytesType;
const listKey = 6 * 8 + bytesType;
const itemKey = 1 * 8 + bytesType;

/**
 * Looks a Struct over that holds texts and lists of texts, and nothing else.
 *
 * @returns null for any other one, also where it is written in a way that Kong does not: it is to be decoded
 */
export function scanHeaderStruct(bytes: Buffer): HeaderTable | null {
  const table = new ScannedHeaders(bytes, readLines);
  const scan = new Scan(bytes);
  while (scan.at < bytes.length) {
    const end = scan.part(entryKey, bytes.length);
    const nameEnd = scan.part(nameKey, end);
    const nameStart = scan.at;
    if (nameEnd < 0) return null;
    scan.at = nameEnd;
    const valueAt = scan.at;
    // The value is all that follows.
    if (scan.part(valueKey, end) !== end) return null;
    const lines = scan.lines(end);
    if (lines === 0) return null;
    table.add(nameStart, nameEnd, valueAt, lines);
  }
  return table;
}

class Scan {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads a key and a length. Returns where that part ends, -1 where it is another one or longer than what it is in. */
  part(key: number, within: number): number {
    if (this.at >= within || this.#bytes[this.at] !== key) return -1;
    this.at++;
    const length = this.#length(within);
    return length < 0 || length > within - this.at ? -1 : this.at + length;
  }

  /** Passes over a Value up to its end. Returns how many lines it has, 0 for what is none. */
  lines(end: number): number {
    if (this.at === end || this.#bytes[this.at] !== listKey) return this.#isText(end) ? 1 : 0;
    if (this.part(listKey, end) !== end) return 0;
    let count = 0;
    while (this.at < end) {
      const item = this.part(itemKey, end);
      if (item < 0 || !this.#isText(item)) return 0;
      count++;
    }
    return count;
  }

  /** Passes over a Value that is a text, or nothing: so an empty text can come. */
  #isText(end: number): boolean {
    if (this.at === end) return true;
    if (this.part(textKey, end) !== end) return false;
    this.at = end;
    return true;
  }

  /** A length of at most four bytes, -1 for another one. */
  #length(within: number): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.at >= within) return -1;
      const byte = this.#bytes[this.at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }
}

/** Reads the lines of a header that the scan has passed over. @param at where its value is */
function readLines(bytes: Buffer, at: number): Lines {
  const scan = new Scan(bytes);
  scan.at = at;
  const end = scan.part(valueKey, bytes.length);
  if (bytes[scan.at] !== listKey || scan.at === end) return readLine(bytes, scan, end);
  scan.part(listKey, end);
  const lines: Line[] = [];
  while (scan.at < end) lines.push(readLine(bytes, scan, scan.part(itemKey, end)));
  return lines;
}

function readLine(bytes: Buffer, scan: Scan, end: number): Line {
  if (scan.at === end) return null;
  scan.part(textKey, end);
  const line = decodeText(bytes, scan.at, end);
  scan.at = end;
  return line;
}
