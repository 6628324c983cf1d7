import type { ByteSet } from './items.ts';
import { bracketSet, classSet, everyByte } from './items.ts';

/** A pattern that is malformed, or too complex for Lua itself. The message is LuaJIT's. */
export class PatternError extends Error {}

export interface Capture {
  readonly start: number;
  /** -1 while the capture is open, -2 for a position. */
  length: number;
}

export interface Match {
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  readonly captures: readonly Capture[];
}

/** One item of a pattern: what it matches, and where what follows it begins. */
interface Item {
  readonly set: ByteSet;
  readonly end: number;
}

const maxDepth = 200;
const maxCaptures = 32;
const maxItems = 2000;
const percent = 0x25;

/**
 * The patterns of Lua 5.1 (`string.match`) as LuaJIT has them, on bytes: classes, sets, `* + - ?`, anchors, captures,
 * back references, `%b()` and `%f[set]`. Every byte that is looked at is counted, so that the owner of the clock can
 * end a match.
 */
export class PatternMatcher {
  readonly #text: Uint8Array;
  readonly #pattern: Uint8Array;
  readonly #spend: (steps: number) => void;
  readonly #items = new Map<number, Item>();
  #captures: Capture[] = [];

  /** @param spend is told how many steps were taken. An error that it throws ends the match. */
  constructor(text: Uint8Array, pattern: Uint8Array, spend: (steps: number) => void) {
    this.#text = text;
    this.#pattern = pattern;
    this.#spend = spend;
  }

  /**
   * The first match at or after a position; null without one.
   *
   * @param minds whether a leading `^` holds the match to the position; otherwise it is a character as any other
   */
  find(init: number, minds = true): Match | null {
    const isAnchored = minds && this.#pattern[0] === 0x5e;
    for (let start = init; start <= this.#text.length; start++) {
      const match = this.matchAt(start, isAnchored ? 1 : 0);
      if (match !== null || isAnchored) return match;
    }
    return null;
  }

  /** The match that starts exactly at a position, of the pattern from `from` on. */
  matchAt(start: number, from: number): Match | null {
    this.#captures = [];
    const end = this.#match(start, from, 0);
    if (end < 0) return null;
    if (this.#captures.some(({ length }) => length === -1)) throw new PatternError('unfinished capture');
    return { start, end, captures: this.#captures };
  }

  /** The end of the match from `s` with the pattern from `p`, or -1. */
  #match(s: number, p: number, depth: number): number {
    if (depth > maxDepth) throw new PatternError('pattern too complex');
    const text = this.#text;
    const pattern = this.#pattern;
    for (;;) {
      this.#spend(1);
      if (p >= pattern.length) return s;
      const c = pattern[p];
      if (c === 0x28) {
        return pattern[p + 1] === 0x29
          ? this.#startCapture(s, p + 2, -2, depth)
          : this.#startCapture(s, p + 1, -1, depth);
      }
      if (c === 0x29) return this.#endCapture(s, p + 1, depth);
      if (c === 0x24 && p + 1 === pattern.length) return s === text.length ? s : -1;
      if (c === percent) {
        const special = this.#special(s, p);
        if (special !== null) {
          if (special < 0) return -1;
          s = special;
          p = this.#afterSpecial(p);
          continue;
        }
      }
      const { set, end } = this.#item(p);
      const hit = s < text.length && set[text[s] ?? 0] === 1;
      switch (pattern[end]) {
        case 0x3f: {
          if (hit) {
            const rest = this.#match(s + 1, end + 1, depth + 1);
            if (rest >= 0) return rest;
          }
          p = end + 1;
          continue;
        }
        case 0x2a:
          return this.#maxExpand(s, set, end, depth);
        case 0x2b:
          return hit ? this.#maxExpand(s + 1, set, end, depth) : -1;
        case 0x2d:
          return this.#minExpand(s, set, end, depth);
        default:
          if (!hit) return -1;
          s += 1;
          p = end;
      }
    }
  }

  /** Where `%b`, `%f` or a back reference leads from `s`. -1: it does not match. null: this item is something else. */
  #special(s: number, p: number): number | null {
    const letter = this.#pattern[p + 1];
    if (letter === 0x62) return this.#balance(s, p + 2);
    if (letter === 0x66) return this.#frontier(s, p + 2) ? s : -1;
    if (letter !== undefined && letter >= 0x30 && letter <= 0x39) return this.#backReference(s, letter);
    return null;
  }

  #afterSpecial(p: number): number {
    const letter = this.#pattern[p + 1];
    if (letter === 0x62) return p + 4;
    return letter === 0x66 ? this.#item(p + 2).end : p + 2;
  }

  #maxExpand(s: number, set: ByteSet, end: number, depth: number): number {
    const text = this.#text;
    let count = 0;
    while (s + count < text.length && set[text[s + count] ?? 0] === 1) count += 1;
    this.#spend(count);
    for (; count >= 0; count--) {
      const rest = this.#match(s + count, end + 1, depth + 1);
      if (rest >= 0) return rest;
    }
    return -1;
  }

  #minExpand(s: number, set: ByteSet, end: number, depth: number): number {
    for (;;) {
      const rest = this.#match(s, end + 1, depth + 1);
      if (rest >= 0) return rest;
      if (s < this.#text.length && set[this.#text[s] ?? 0] === 1) s += 1;
      else return -1;
    }
  }

  #startCapture(s: number, p: number, length: number, depth: number): number {
    if (this.#captures.length >= maxCaptures) throw new PatternError('too many captures');
    this.#captures.push({ start: s, length });
    const rest = this.#match(s, p, depth + 1);
    if (rest < 0) this.#captures.pop();
    return rest;
  }

  #endCapture(s: number, p: number, depth: number): number {
    const open = this.#captures.findLast((capture) => capture.length === -1);
    if (open === undefined) throw new PatternError('invalid pattern capture');
    open.length = s - open.start;
    const rest = this.#match(s, p, depth + 1);
    if (rest < 0) open.length = -1;
    return rest;
  }

  #backReference(s: number, digit: number): number {
    const capture = this.#captures[digit - 0x31];
    if (capture === undefined || capture.length < 0) throw new PatternError('invalid capture index');
    const { start, length } = capture;
    if (s + length > this.#text.length) return -1;
    this.#spend(length);
    for (let i = 0; i < length; i++) if (this.#text[start + i] !== this.#text[s + i]) return -1;
    return s + length;
  }

  #balance(s: number, p: number): number {
    const open = this.#pattern[p];
    const close = this.#pattern[p + 1];
    if (open === undefined || close === undefined) throw new PatternError('unbalanced pattern');
    const text = this.#text;
    if (s >= text.length || text[s] !== open) return -1;
    let level = 1;
    let at = s + 1;
    for (; at < text.length; at++) {
      const c = text[at];
      if (c === close) level -= 1;
      else if (c === open) level += 1;
      if (level === 0) break;
    }
    this.#spend(at - s);
    return level === 0 ? at + 1 : -1;
  }

  #frontier(s: number, p: number): boolean {
    if (this.#pattern[p] !== 0x5b) throw new PatternError("missing '[' after '%f' in pattern");
    const { set } = this.#item(p);
    const before = s === 0 ? 0 : (this.#text[s - 1] ?? 0);
    return set[before] === 0 && set[this.#text[s] ?? 0] === 1;
  }

  #item(p: number): Item {
    let item = this.#items.get(p);
    if (item === undefined) {
      item = this.#readItem(p);
      if (this.#items.size >= maxItems) this.#items.clear();
      this.#items.set(p, item);
    }
    return item;
  }

  #readItem(p: number): Item {
    const pattern = this.#pattern;
    const c = pattern[p] ?? 0;
    if (c === 0x2e) return { set: everyByte, end: p + 1 };
    if (c === percent) {
      const letter = pattern[p + 1];
      if (letter === undefined) throw new PatternError("malformed pattern (ends with '%')");
      return { set: classSet(letter), end: p + 2 };
    }
    if (c !== 0x5b) return { set: classOfByte(c), end: p + 1 };
    const end = this.#bracketEnd(p);
    this.#spend(256 + end - p);
    return { set: bracketSet(pattern, p + 1, end - 1), end };
  }

  #bracketEnd(open: number): number {
    const pattern = this.#pattern;
    let p = pattern[open + 1] === 0x5e ? open + 2 : open + 1;
    do {
      if (p >= pattern.length) throw new PatternError("malformed pattern (missing ']')");
      p += pattern[p] === percent ? 2 : 1;
    } while (pattern[p] !== 0x5d);
    return p + 1;
  }
}

const bytes = new Map<number, ByteSet>();

function classOfByte(byte: number): ByteSet {
  let set = bytes.get(byte);
  if (set === undefined) {
    set = new Uint8Array(256);
    set[byte] = 1;
    bytes.set(byte, set);
  }
  return set;
}
