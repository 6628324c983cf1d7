import { KongTsError } from '../errors.ts';

/**
 * Lua 5.1 patterns (`string.match`) on bytes, the language of `match`, `match_none` and their like in Kong's
 * schemas: classes (`%a %d %w ...`), sets, `* + - ?`, anchors, captures, back references, `%b()` and `%f[set]`.
 */

const maxDepth = 200;
const maxSteps = 2_000_000;
const percent = 0x25;

interface Capture {
  start: number;
  /** -1 while the capture is open. */
  length: number;
}

/** Whether the pattern matches somewhere in the text. Throws CONFIG_INVALID when the pattern is malformed. */
export function luaMatches(text: string, pattern: string): boolean {
  return new LuaMatcher(text, pattern).find() !== null;
}

/** What `string.match` answers: the captures, or the whole match when there are none; null without a match. */
export function luaMatch(text: string, pattern: string): string[] | null {
  return new LuaMatcher(text, pattern).find();
}

class LuaMatcher {
  private readonly text: Buffer;
  private readonly pattern: Buffer;
  private captures: Capture[] = [];
  private steps = 0;

  constructor(text: string, pattern: string) {
    this.text = Buffer.from(text);
    this.pattern = Buffer.from(pattern);
  }

  find(): string[] | null {
    const anchored = this.pattern[0] === 0x5e;
    const first = anchored ? 1 : 0;
    for (let start = 0; start <= this.text.length; start++) {
      this.captures = [];
      const end = this.match(start, first, 0);
      if (end >= 0) return this.result(start, end);
      if (anchored) return null;
    }
    return null;
  }

  private result(start: number, end: number): string[] {
    if (this.captures.some(({ length }) => length === -1)) return this.malformed('unfinished capture');
    if (this.captures.length === 0) return [this.text.toString('utf8', start, end)];
    return this.captures.map(({ start: from, length }) =>
      length === -2 ? String(from + 1) : this.text.toString('utf8', from, from + length),
    );
  }

  private malformed(why: string): never {
    throw new KongTsError(
      'CONFIG_INVALID',
      `The Lua pattern '${this.pattern.toString()}' is malformed: ${why}.`,
    );
  }

  /** The end of the match from `s` with the pattern from `p`, or -1. */
  private match(s: number, p: number, depth: number): number {
    if (depth > maxDepth) this.malformed('too complex');
    const { text, pattern } = this;
    for (;;) {
      if (++this.steps > maxSteps) this.malformed('matching takes too long');
      if (p >= pattern.length) return s;
      const c = pattern[p];
      if (c === 0x28) {
        return pattern[p + 1] === 0x29
          ? this.startCapture(s, p + 2, -2, depth)
          : this.startCapture(s, p + 1, -1, depth);
      }
      if (c === 0x29) return this.endCapture(s, p + 1, depth);
      if (c === 0x24 && p + 1 === pattern.length) return s === text.length ? s : -1;
      if (c === percent) {
        const next = pattern[p + 1];
        if (next === 0x62) {
          s = this.balance(s, p + 2);
          if (s < 0) return -1;
          p += 4;
          continue;
        }
        if (next === 0x66) {
          p += 2;
          if (pattern[p] !== 0x5b) this.malformed("missing '[' after '%f'");
          const end = this.classEnd(p);
          const before = s === 0 ? 0 : (text[s - 1] ?? 0);
          if (this.inSet(before, p, end - 1) || !this.inSet(text[s] ?? 0, p, end - 1)) return -1;
          p = end;
          continue;
        }
        if (next !== undefined && next >= 0x30 && next <= 0x39) {
          s = this.backReference(s, next);
          if (s < 0) return -1;
          p += 2;
          continue;
        }
      }
      const end = this.classEnd(p);
      const single = s < text.length && this.single(text[s] ?? 0, p, end);
      switch (pattern[end]) {
        case 0x3f: {
          if (single) {
            const rest = this.match(s + 1, end + 1, depth + 1);
            if (rest >= 0) return rest;
          }
          p = end + 1;
          continue;
        }
        case 0x2a:
          return this.maxExpand(s, p, end, depth);
        case 0x2b:
          return single ? this.maxExpand(s + 1, p, end, depth) : -1;
        case 0x2d:
          return this.minExpand(s, p, end, depth);
        default:
          if (!single) return -1;
          s++;
          p = end;
      }
    }
  }

  private maxExpand(s: number, p: number, end: number, depth: number): number {
    let count = 0;
    while (s + count < this.text.length && this.single(this.text[s + count] ?? 0, p, end)) count++;
    for (; count >= 0; count--) {
      const rest = this.match(s + count, end + 1, depth + 1);
      if (rest >= 0) return rest;
    }
    return -1;
  }

  private minExpand(s: number, p: number, end: number, depth: number): number {
    for (;;) {
      const rest = this.match(s, end + 1, depth + 1);
      if (rest >= 0) return rest;
      if (s < this.text.length && this.single(this.text[s] ?? 0, p, end)) s++;
      else return -1;
    }
  }

  private startCapture(s: number, p: number, length: number, depth: number): number {
    this.captures.push({ start: s, length });
    const rest = this.match(s, p, depth + 1);
    if (rest < 0) this.captures.pop();
    return rest;
  }

  private endCapture(s: number, p: number, depth: number): number {
    const open = this.captures.findLast((capture) => capture.length === -1);
    if (open === undefined) return this.malformed('invalid pattern capture');
    open.length = s - open.start;
    const rest = this.match(s, p, depth + 1);
    if (rest < 0) open.length = -1;
    return rest;
  }

  private backReference(s: number, digit: number): number {
    const capture = this.captures[digit - 0x31];
    if (capture === undefined || capture.length < 0) return this.malformed('invalid capture index');
    const { start, length } = capture;
    if (s + length > this.text.length) return -1;
    return this.text.compare(this.text, start, start + length, s, s + length) === 0 ? s + length : -1;
  }

  private balance(s: number, p: number): number {
    const open = this.pattern[p];
    const close = this.pattern[p + 1];
    if (open === undefined || close === undefined) return this.malformed('unbalanced pattern');
    if (this.text[s] !== open) return -1;
    let level = 1;
    for (let at = s + 1; at < this.text.length; at++) {
      const c = this.text[at];
      if (c === close) {
        if (--level === 0) return at + 1;
      } else if (c === open) level++;
    }
    return -1;
  }

  private classEnd(p: number): number {
    const c = this.pattern[p++];
    if (c === percent) {
      if (p >= this.pattern.length) this.malformed("ends with '%'");
      return p + 1;
    }
    if (c === 0x5b) {
      if (this.pattern[p] === 0x5e) p++;
      do {
        if (p >= this.pattern.length) this.malformed("missing ']'");
        if (this.pattern[p++] === percent) p++;
      } while (this.pattern[p] !== 0x5d);
      return p + 1;
    }
    return p;
  }

  private single(byte: number, p: number, end: number): boolean {
    switch (this.pattern[p]) {
      case 0x2e:
        return true;
      case percent:
        return inClass(byte, this.pattern[p + 1] ?? 0);
      case 0x5b:
        return this.inSet(byte, p, end - 1);
      default:
        return this.pattern[p] === byte;
    }
  }

  private inSet(byte: number, p: number, last: number): boolean {
    const { pattern } = this;
    let negated = false;
    p++;
    if (pattern[p] === 0x5e) {
      negated = true;
      p++;
    }
    for (; p < last; p++) {
      const c = pattern[p] ?? 0;
      if (c === percent) {
        p++;
        if (inClass(byte, pattern[p] ?? 0)) return !negated;
      } else if (pattern[p + 1] === 0x2d && p + 2 < last) {
        p += 2;
        if (c <= byte && byte <= (pattern[p] ?? 0)) return !negated;
      } else if (c === byte) return !negated;
    }
    return negated;
  }
}

const isUpper = (c: number): boolean => c >= 0x41 && c <= 0x5a;
const isLower = (c: number): boolean => c >= 0x61 && c <= 0x7a;
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isAlnum = (c: number): boolean => isUpper(c) || isLower(c) || isDigit(c);

const classes: Record<string, (c: number) => boolean> = {
  a: (c) => isUpper(c) || isLower(c),
  c: (c) => c < 0x20 || c === 0x7f,
  d: isDigit,
  l: isLower,
  p: (c) => c > 0x20 && c < 0x7f && !isAlnum(c),
  s: (c) => c === 0x20 || (c >= 9 && c <= 13),
  u: isUpper,
  w: isAlnum,
  x: (c) => isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66),
  z: (c) => c === 0,
};

function inClass(byte: number, letter: number): boolean {
  const test = classes[String.fromCharCode(letter | 0x20)];
  if (test === undefined || !(isUpper(letter) || isLower(letter))) return byte === letter;
  return isUpper(letter) ? !test(byte) : test(byte);
}
