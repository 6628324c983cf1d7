import type { RawText } from './text.ts';

/**
 * Kong's http-log writes numbers with 14 significant digits, while the record that Kong gives to a plugin server has
 * 16 (both measured on Kong 3.9.3: `"balancer_start_ns":1.7952821331072e+18` and `1.795282099103067e+18`).
 * The longer form is shortened in the text of the record, so that records are byte for byte those of http-log.
 */
const significantDigits = 14;

/** A number with more significant digits than that has so many digits and points in a row. */
const longRun = significantDigits + 1;

/** With this many digits, every double can be told from the middle of two numbers of 14 digits. */
const exactDigits = 60;

/** Whether a character is a digit or a point. */
const isDigit = (code: number): boolean => (code >= 0x30 && code <= 0x39) || code === 0x2e;
const isSign = (code: number): boolean => code === 0x2b || code === 0x2d;
/** What stands before a value: colon, comma, opening bracket. */
const isBefore = (code: number): boolean => code === 0x3a || code === 0x2c || code === 0x5b;
/** What stands after a value: comma, closing brace, closing bracket. */
const isAfter = (code: number): boolean => code === 0x2c || code === 0x7d || code === 0x5d;

/** A number without the zeros at the end of its fraction. */
function trimmed(text: string): string {
  if (!text.includes('.')) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x30) end -= 1;
  return text.slice(0, text.charCodeAt(end - 1) === 0x2e ? end - 1 : end);
}

/**
 * C rounds a number that is exactly halfway between two to the one with the even digit, JavaScript to the larger one.
 * A number halfway above an even digit is given back without its half; any other number as it is.
 */
function withoutHalf(value: number): number {
  const text = value.toExponential(significantDigits);
  const last = text.indexOf('e') - 1;
  if (text.charCodeAt(last) !== 0x35 || text.charCodeAt(last - 1) % 2 === 1) return value;
  if (!/^50+e/.test(value.toExponential(exactDigits).slice(last))) return value;
  return Number(text.slice(0, last) + text.slice(last + 1));
}

/** C's `%.14g`. */
export function formatNumber(given: number): string {
  const value = withoutHalf(given);
  const text = value.toExponential(significantDigits - 1);
  const e = text.indexOf('e');
  const exponent = Number(text.slice(e + 1));
  if (exponent < -4 || exponent >= significantDigits) {
    const sign = exponent < 0 ? '-' : '+';
    return `${trimmed(text.slice(0, e))}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return trimmed(value.toFixed(Math.max(0, significantDigits - 1 - exponent)));
}

/** Walks the quotes of a record from left to right, each of them once, and knows whether a position is in a string. */
class Quotes {
  readonly #record: RawText;
  /** The next quote that was not passed, -1 at the end. */
  #next: number;
  #inside = false;

  constructor(record: RawText) {
    this.#record = record;
    this.#next = record.indexOf('"');
  }

  /** True where an odd number of quotes that are not escaped stand before a position. @param at never less than before */
  surround(at: number): boolean {
    const record = this.#record;
    for (let quote = this.#next; quote >= 0 && quote < at; quote = this.#next) {
      let slashes = 0;
      while (record.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1;
      if (!this.#inside || slashes % 2 === 0) this.#inside = !this.#inside;
      this.#next = record.indexOf('"', quote + 1);
    }
    return this.#inside;
  }
}

/** How many significant digits the digits and points from here on have. */
function significantIn(record: RawText, from: number, end: number): number {
  let count = 0;
  for (let i = from; i < end; i++) {
    const code = record.charCodeAt(i);
    if (code !== 0x2e && (count > 0 || code !== 0x30)) count += 1;
  }
  return count;
}

/** Where the exponent that may stand at a position ends. */
function exponentEnd(record: RawText, at: number): number {
  if ((record.charCodeAt(at) | 0x20) !== 0x65) return at;
  let end = at + 1;
  if (isSign(record.charCodeAt(end))) end += 1;
  const digits = end;
  while (isDigit(record.charCodeAt(end)) && record.charCodeAt(end) !== 0x2e) end += 1;
  return end > digits ? end : at;
}

/**
 * The record with its numbers as http-log writes them, in pieces, so that unchanged text is not copied. Nothing is
 * parsed, and only every fifteenth character is looked at: a long number has a digit there.
 */
export function numberPieces(record: RawText): RawText[] {
  const pieces: RawText[] = [];
  let done = 0;
  let quotes: Quotes | null = null;
  for (let i = longRun - 1; i < record.length; i += longRun) {
    if (!isDigit(record.charCodeAt(i))) continue;
    let from = i;
    while (isDigit(record.charCodeAt(from - 1))) from -= 1;
    let end = i + 1;
    while (isDigit(record.charCodeAt(end))) end += 1;
    i = end;
    if (end - from < longRun || record.charCodeAt(from) === 0x2e) continue;
    if (significantIn(record, from, end) <= significantDigits) continue;
    if (record.charCodeAt(from - 1) === 0x2d) from -= 1;
    end = exponentEnd(record, end);
    // A string can hold the same characters.
    if (!isBefore(record.charCodeAt(from - 1)) || !isAfter(record.charCodeAt(end))) continue;
    // After the quote that ends a key there is a value. Elsewhere, as after comma or bracket, the quotes are counted.
    if (record.charCodeAt(from - 1) !== 0x3a || !endsKey(record, from - 2)) {
      quotes ??= new Quotes(record);
      if (quotes.surround(from)) continue;
    }
    const value = Number(record.slice(from, end));
    if (!Number.isFinite(value)) continue;
    pieces.push(record.slice(done, from), formatNumber(value));
    done = end;
  }
  if (done === 0) return [record];
  pieces.push(record.slice(done));
  return pieces;
}

/**
 * Whether a quote before a colon surely ends a key: it is not escaped (`":` inside a string is written `\":`), and what
 * stands before it can stand before no quote that begins a string, whose text may start with a colon.
 */
function endsKey(record: RawText, at: number): boolean {
  if (record.charCodeAt(at) !== 0x22) return false;
  const before = record.charCodeAt(at - 1);
  return before > 0x20 && before !== 0x5c && before !== 0x7b && !isBefore(before);
}

/** The record with its numbers as http-log writes them. */
export const withKongNumbers = (record: RawText): RawText => numberPieces(record).join('');
