import { KongTsError } from '../../base/errors.ts';
import { escapeEnd } from './escapes.ts';

/** A token of Lua: where it stands in the source, and what it is. */
export interface Token {
  /** A keyword or symbol as it is written, or `<name>`, `<number>`, `<string>`, `<eof>`. */
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

const keywords = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);
const pairs = new Set(['==', '<=', '>=', '~=', '::']);

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** LuaJIT takes every byte above ASCII as a letter. */
const isIdentifier = (code: number): boolean =>
  isDigit(code) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  code === 0x5f ||
  code >= 0x80;
const isSpace = (code: number): boolean => code === 0x20 || (code >= 9 && code <= 13);

/**
 * Cuts a source into the tokens of LuaJIT 2.1 (Lua 5.1 with goto, `\x`, `\z`, `\u{...}`, numbers in binary), as Kong
 * has it.
 */
export class Lexer {
  readonly #source: string;
  #at = 0;
  #line = 1;

  /** @param source one character per byte */
  constructor(source: string) {
    this.#source = source;
    if (source.startsWith('\u00ef\u00bb\u00bf')) this.#at = 3;
    if (source.charCodeAt(this.#at) === 0x23) this.#skipLine();
  }

  text(token: Token): string {
    return this.#source.slice(token.start, token.end);
  }

  next(): Token {
    this.#skipBlank();
    const start = this.#at;
    const source = this.#source;
    if (start >= source.length) return this.#token('<eof>', start, start);
    const code = source.charCodeAt(start);
    if (isDigit(code) || (code === 0x2e && isDigit(source.charCodeAt(start + 1)))) return this.#number(start);
    if (isIdentifier(code)) return this.#name(start);
    if (code === 0x22 || code === 0x27) return this.#string(start, code);
    if (code === 0x5b) {
      const level = this.#longLevel(start);
      if (level >= 0) {
        const line = this.#line;
        this.#skipLong(start, level, 'string');
        return { type: '<string>', start, end: this.#at, line };
      }
      if (level < -1) this.fail('invalid long string delimiter', source.slice(start, start - level));
    }
    const two = source.slice(start, start + 2);
    if (two === '..') {
      const dots = source.startsWith('...', start) ? '...' : '..';
      return this.#token(dots, start, start + dots.length);
    }
    if (pairs.has(two)) return this.#token(two, start, start + 2);
    return this.#token(source.charAt(start), start, start + 1);
  }

  /** @throws KongTsError LUA_INVALID, in LuaJIT's words */
  fail(problem: string, near: string | null, line = this.#line): never {
    const beside = near === null ? '' : ` near '${Buffer.from(near.slice(0, 60), 'latin1').toString()}'`;
    throw new KongTsError('LUA_INVALID', `The Lua source does not parse: lua:${line}: ${problem}${beside}.`);
  }

  #token(type: string, start: number, end: number): Token {
    this.#at = end;
    return { type, start, end, line: this.#line };
  }

  #skipLine(): void {
    const source = this.#source;
    while (this.#at < source.length && !this.#isNewline(this.#at)) this.#at += 1;
  }

  #isNewline(at: number): boolean {
    const code = this.#source.charCodeAt(at);
    return code === 10 || code === 13;
  }

  /** Steps over a line's end: \r\n and \n\r are one. */
  #newline(): void {
    const first = this.#source.charCodeAt(this.#at);
    this.#at += 1;
    if (this.#isNewline(this.#at) && this.#source.charCodeAt(this.#at) !== first) this.#at += 1;
    this.#line += 1;
  }

  #skipBlank(): void {
    const source = this.#source;
    for (;;) {
      if (this.#isNewline(this.#at)) this.#newline();
      else if (isSpace(source.charCodeAt(this.#at))) this.#at += 1;
      else if (source.startsWith('--', this.#at)) this.#skipComment();
      else return;
    }
  }

  #skipComment(): void {
    this.#at += 2;
    const level = this.#source.charCodeAt(this.#at) === 0x5b ? this.#longLevel(this.#at) : -1;
    if (level >= 0) this.#skipLong(this.#at, level, 'comment');
    else this.#skipLine();
  }

  /** The number of equals signs of a long bracket; -1 for a plain bracket, less for one that is not finished. */
  #longLevel(start: number): number {
    let at = start + 1;
    while (this.#source.charCodeAt(at) === 0x3d) at += 1;
    if (this.#source.charCodeAt(at) === 0x5b) return at - start - 1;
    return -(at - start);
  }

  #skipLong(start: number, level: number, what: string): void {
    const close = `]${'='.repeat(level)}]`;
    const end = this.#source.indexOf(close, start + level + 2);
    this.#at = start + level + 2;
    const stop = end < 0 ? this.#source.length : end;
    while (this.#at < stop) {
      if (this.#isNewline(this.#at)) this.#newline();
      else this.#at += 1;
    }
    if (end < 0) this.fail(`unfinished long ${what}`, '<eof>');
    this.#at = end + close.length;
  }

  #name(start: number): Token {
    let end = start + 1;
    while (isIdentifier(this.#source.charCodeAt(end))) end += 1;
    const word = this.#source.slice(start, end);
    return this.#token(keywords.has(word) ? word : '<name>', start, end);
  }

  #number(start: number): Token {
    const source = this.#source;
    const exponent = /^0x/i.test(source.slice(start, start + 2)) ? 0x70 : 0x65;
    let end = start;
    for (;;) {
      const code = source.charCodeAt(end);
      const sign = (code === 0x2b || code === 0x2d) && (source.charCodeAt(end - 1) | 0x20) === exponent;
      if (!isIdentifier(code) && code !== 0x2e && !(sign && end > start)) break;
      end += 1;
    }
    return this.#token('<number>', start, end);
  }

  #string(start: number, quote: number): Token {
    const source = this.#source;
    const line = this.#line;
    this.#at = start + 1;
    for (;;) {
      const code = source.charCodeAt(this.#at);
      if (code === quote) break;
      if (this.#at >= source.length) this.fail('unfinished string', '<eof>');
      if (this.#isNewline(this.#at)) this.fail('unfinished string', source.slice(start, this.#at));
      if (code === 0x5c) this.#escape(start);
      else this.#at += 1;
    }
    this.#at += 1;
    return { type: '<string>', start, end: this.#at, line };
  }

  #escape(start: number): void {
    const source = this.#source;
    const letter = source.charAt(this.#at + 1);
    if (letter === 'z') {
      this.#at += 2;
      while (isSpace(source.charCodeAt(this.#at))) {
        if (this.#isNewline(this.#at)) this.#newline();
        else this.#at += 1;
      }
    } else if (letter === '\n' || letter === '\r') {
      this.#at += 1;
      this.#newline();
    } else {
      const end = letter === '' ? this.#at + 1 : escapeEnd(source, this.#at);
      if (end < 0) this.fail('invalid escape sequence', source.slice(start, this.#at + 1));
      this.#at = end;
    }
  }
}
