/**
 * Header lines as nginx 1.25.3 reads them (ngx_http_parse_header_line), from clients and from upstreams alike:
 *
 * - a line ends with CR LF, several CRs and LF, or LF alone;
 * - spaces (not tabs) around a value are not a part of it;
 * - a line without a colon is a name with an empty value;
 * - a name may hold any byte above 0x20 but DEL; `odd` says that it holds others than letters, digits, `-` and `_`
 *   (nginx drops such lines of a client: `ignore_invalid_headers on`; those of an upstream it passes on);
 * - a line that begins with a space, a tab or a colon, a control byte in a name, a NUL in a value, and a CR that no LF
 *   follows are invalid. Other control bytes in a value are let through.
 *
 * Names and values are latin1 strings, one character per byte.
 */
export interface HeaderLine {
  readonly kind: 'line';
  readonly name: string;
  readonly value: string;
  /** The name holds bytes that nginx counts as invalid. */
  readonly odd: boolean;
  /** Where the next line begins. */
  readonly next: number;
}

export type ParsedLine =
  | HeaderLine
  /** The empty line after the headers. */
  | { readonly kind: 'end'; readonly next: number }
  /** The bytes end before the line does. */
  | { readonly kind: 'more' }
  | { readonly kind: 'invalid' };

const cr = 13;
const lf = 10;
const space = 32;
const colon = 58;
const del = 127;

const more: ParsedLine = { kind: 'more' };
const invalid: ParsedLine = { kind: 'invalid' };

/** Reads the line that begins at `start`. Its cost is linear in the line; nothing is kept between calls. */
export function parseHeaderLine(bytes: Buffer, start: number): ParsedLine {
  const first = bytes[start];
  if (first === undefined) return more;
  if (first === lf) return { kind: 'end', next: start + 1 };
  if (first === cr) {
    const second = bytes[start + 1];
    if (second === undefined) return more;
    return second === lf ? { kind: 'end', next: start + 2 } : invalid;
  }
  if (first === colon) return invalid;
  let odd = false;
  let at = start;
  for (; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) return more;
    if (byte === colon || byte === cr || byte === lf) break;
    if (byte <= space || byte === del) return invalid;
    if (!isNameByte(byte)) odd = true;
  }
  const name = bytes.toString('latin1', start, at);
  if (bytes[at] === colon) return parseValue(bytes, at + 1, name, odd);
  return endOfLine(bytes, at, name, '', odd);
}

function parseValue(bytes: Buffer, from: number, name: string, odd: boolean): ParsedLine {
  let start = from;
  while (bytes[start] === space) start++;
  let end = start;
  let at = start;
  for (; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) return more;
    if (byte === cr || byte === lf) break;
    if (byte === 0) return invalid;
    if (byte !== space) end = at + 1;
  }
  return endOfLine(bytes, at, name, bytes.toString('latin1', start, end), odd);
}

function endOfLine(bytes: Buffer, from: number, name: string, value: string, odd: boolean): ParsedLine {
  let at = from;
  while (bytes[at] === cr) at++;
  const byte = bytes[at];
  if (byte === undefined) return more;
  return byte === lf ? { kind: 'line', name, value, odd, next: at + 1 } : invalid;
}

function isNameByte(byte: number): boolean {
  return (
    (byte >= 97 && byte <= 122) ||
    (byte >= 65 && byte <= 90) ||
    (byte >= 48 && byte <= 57) ||
    byte === 45 ||
    byte === 95
  );
}
