/**
 * Regular expressions as Lua patterns, where that is possible without changing what matches. Lua patterns work on
 * bytes and know neither alternation nor repeated groups; JavaScript works on UTF-16 units. A pattern is translated
 * only when both accept the same ASCII strings and Lua refuses no other string that JavaScript accepts.
 */

/** How often a counted quantifier ({2,5}) may repeat its item before the pattern would grow too long. */
const maxRepeat = 64;

interface Item {
  /** A Lua pattern of one byte. */
  lua: string;
  /** Also matches characters that are several bytes in UTF-8: exact only when repeated without an upper bound. */
  wide: boolean;
}

/** The Lua pattern that matches the same as `regex`, null if Lua cannot express it. */
export function luaPattern(regex: RegExp): string | null {
  if (/[imsyv]/.test(regex.flags)) return null;
  const reader = new Reader(regex.source);
  let out = '';
  if (reader.take('^')) out += '^';
  while (!reader.done()) {
    if (reader.rest() === '$') {
      reader.next();
      return `${out}$`;
    }
    const item = readItem(reader);
    if (item === null) return null;
    const repeated = readQuantifier(reader, item);
    if (repeated === null) return null;
    out += repeated;
  }
  return out;
}

/** Text as a Lua pattern that matches only this text. */
export function luaLiteral(text: string): string {
  return text.replace(/[^A-Za-z0-9_\u0080-\u{10ffff}]/gu, (char) => (char === '\0' ? '%z' : `%${char}`));
}

class Reader {
  readonly #source: string;
  #position = 0;

  constructor(source: string) {
    this.#source = source;
  }

  done(): boolean {
    return this.#position >= this.#source.length;
  }

  rest(): string {
    return this.#source.slice(this.#position);
  }

  peek(): string {
    return this.#source[this.#position] ?? '';
  }

  next(): string {
    const char = this.peek();
    this.#position += 1;
    return char;
  }

  take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#position)) return false;
    this.#position += text.length;
    return true;
  }

  match(regex: RegExp): RegExpMatchArray | null {
    const found = this.rest().match(regex);
    if (found !== null) this.#position += found[0].length;
    return found;
  }
}

function readItem(reader: Reader): Item | null {
  const char = reader.next();
  if (char === '\\') return readEscape(reader.next());
  if (char === '[') return readClass(reader);
  if (char === '.') return { lua: '[^\n\r]', wide: true };
  if ('^$|()*+?{}]'.includes(char)) return null;
  if (char > '\u007f') return null;
  return { lua: luaLiteral(char), wide: false };
}

/**
 * Classes that mean the same bytes in both languages. `\s` is not one of them, because JavaScript includes Unicode's
 * spaces.
 */
const escapes: Record<string, Item> = {
  d: { lua: '%d', wide: false },
  w: { lua: '[%w_]', wide: false },
  D: { lua: '%D', wide: true },
  W: { lua: '[^%w_]', wide: true },
  n: { lua: '\n', wide: false },
  r: { lua: '\r', wide: false },
  t: { lua: '\t', wide: false },
};

function readEscape(char: string): Item | null {
  const known = escapes[char];
  if (known !== undefined) return known;
  return /^[^A-Za-z0-9\u0080-\uffff]$/.test(char) ? { lua: luaLiteral(char), wide: false } : null;
}

function readClass(reader: Reader): Item | null {
  const negated = reader.take('^');
  let body = '';
  while (!reader.take(']')) {
    if (reader.done()) return null;
    const from = readClassMember(reader);
    if (from === null) return null;
    if (from.length === 1 && reader.peek() === '-' && !reader.rest().startsWith('-]')) {
      reader.next();
      const to = readClassMember(reader);
      if (to === null || to.length !== 1 || !/^[A-Za-z0-9]$/.test(from) || !/^[A-Za-z0-9]$/.test(to))
        return null;
      body += `${from}-${to}`;
    } else {
      body += from.length === 1 ? luaLiteral(from) : from;
    }
  }
  return body === '' ? null : { lua: `[${negated ? '^' : ''}${body}]`, wide: negated };
}

/** One character of a class as itself, or a Lua class (two or more characters). */
function readClassMember(reader: Reader): string | null {
  const char = reader.next();
  if (char === '' || char > '\u007f') return null;
  if (char !== '\\') return char;
  const escaped = reader.next();
  if (escaped === 'd') return '%d';
  if (escaped === 'w') return '%w_';
  const single = { n: '\n', r: '\r', t: '\t' }[escaped];
  if (single !== undefined) return single;
  return /^[^A-Za-z0-9\u0080-\uffff]$/.test(escaped) ? escaped : null;
}

function readQuantifier(reader: Reader, item: Item): string | null {
  const found = reader.match(/^(?:[*+?]|\{(\d+)(,?)(\d*)\})/);
  const lazy = found !== null && reader.take('?');
  if (found === null) return item.wide ? null : item.lua;
  const symbol = found[0][0];
  if (symbol === '*') return item.lua + (lazy ? '-' : '*');
  if (symbol === '+') return lazy ? `${item.lua}${item.lua}-` : `${item.lua}+`;
  if (item.wide) return null;
  if (symbol === '?') return `${item.lua}?`;
  const min = Number(found[1]);
  const max = found[2] === '' ? min : found[3] === '' ? Infinity : Number(found[3]);
  if (min > maxRepeat || (max !== Infinity && max > maxRepeat)) return null;
  const required = item.lua.repeat(min);
  return required + (max === Infinity ? `${item.lua}*` : `${item.lua}?`.repeat(Math.max(0, max - min)));
}
