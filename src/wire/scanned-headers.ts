import type { Buffer } from 'node:buffer';
import type { HeaderTable, Lines } from '../base/header-table.ts';
import { decodeText } from '../base/text.ts';

/** Reads what begins at a place that the scan has found. */
export type ReadLines = (bytes: Buffer, at: number) => Lines;

const underscore = 0x5f;

/** A table of headers of which a scan has found the places. The bytes must stay as they are while it is in use. */
export class ScannedHeaders implements HeaderTable {
  count = 0;
  readonly #bytes: Buffer;
  readonly #read: ReadLines;
  /** For each entry: where its name begins and ends, and where its lines begin. */
  readonly #places: number[] = [];
  #underscored: string[] | null = null;

  constructor(bytes: Buffer, read: ReadLines) {
    this.#bytes = bytes;
    this.#read = read;
  }

  /** Adds an entry with so many lines. */
  add(nameStart: number, nameEnd: number, linesAt: number, lines: number): void {
    this.#places.push(nameStart, nameEnd, linesAt);
    this.count += lines;
  }

  get underscored(): readonly string[] {
    if (this.#underscored !== null) return this.#underscored;
    const found: string[] = [];
    for (let i = 0; i < this.#places.length; i += 3) {
      const [start = 0, end = 0] = [this.#places[i], this.#places[i + 1]];
      if (this.#holdsUnderscore(start, end)) found.push(decodeText(this.#bytes, start, end));
    }
    return (this.#underscored = found);
  }

  lines(name: string): Lines | undefined {
    for (let i = this.#places.length - 3; i >= 0; i -= 3) {
      const [start = 0, end = 0, at = 0] = [this.#places[i], this.#places[i + 1], this.#places[i + 2]];
      if (this.#isName(start, end, name)) return this.#read(this.#bytes, at);
    }
    return undefined;
  }

  #holdsUnderscore(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.#bytes[at] === underscore) return true;
    return false;
  }

  /** Names that are asked for are ASCII: others are compared as texts. */
  #isName(start: number, end: number, name: string): boolean {
    const { length } = name;
    for (let i = 0; i < length; i++) {
      const unit = name.charCodeAt(i);
      if (unit > 0x7f) return decodeText(this.#bytes, start, end) === name;
      if (start + i >= end || this.#bytes[start + i] !== unit) return false;
    }
    return end - start === length;
  }
}
