import { createHash, createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ngxConstants } from './lua-constants.ts';
import type { RequestView } from './lua-request.ts';
import type { LuaSource, Table } from './lua-source.ts';
import { field } from './lua-source.ts';
import { luaText } from './lua-text.ts';
import { cookieTime, httpTime, parseHttpTime } from './lua-times.ts';
import type { RawText } from './text.ts';

const bytesOf = (text: unknown): Buffer => {
  if (typeof text === 'object' && text !== null) throw new Error('string argument expected, got table');
  return Buffer.from(text === undefined || text === null ? '' : luaText(text), 'latin1');
};
const raw = (bytes: Buffer): RawText => bytes.toString('latin1');

const bytesWhere = (is: (byte: string) => boolean): readonly boolean[] =>
  Array.from({ length: 256 }, (_, byte) => is(String.fromCharCode(byte)));
/**
 * The characters that nginx leaves alone (lua-nginx-module 0.10.26): in a whole URI (type 0 of `ngx.escape_uri`), in
 * arguments (1), in a component (2).
 */
const plainBytes = [
  bytesWhere((byte) => !/[\0- #%?\x7f-\xff]/.test(byte)),
  bytesWhere((byte) => !/[\0- #%+?\x7f-\xff]/.test(byte)),
  bytesWhere((byte) => /[\w\-.~!'()*]/.test(byte)),
];
const hexDigits = Buffer.from('0123456789ABCDEF');

/** Writes byte by byte into one buffer. A list of the bytes of Lua's megabytes would take the memory of the thread. */
export function escapeUri(text: unknown, type: unknown): RawText {
  const plain = plainBytes[type === undefined ? 2 : Number(type)];
  if (plain === undefined) throw new Error('of the types of ngx.escape_uri, 0, 1 and 2 are here');
  const bytes = bytesOf(text);
  const escaped = Buffer.allocUnsafe(3 * bytes.length);
  let length = 0;
  for (const byte of bytes) {
    if (plain[byte] === true) escaped[length++] = byte;
    else {
      escaped[length++] = 0x25;
      escaped[length++] = hexDigits[byte >> 4] ?? 0;
      escaped[length++] = hexDigits[byte & 15] ?? 0;
    }
  }
  return escaped.toString('latin1', 0, length);
}

/** Everything that is not a percent-encoded byte stays as it is. A plus is a space. */
export const unescapeUri = (text: unknown): RawText =>
  raw(bytesOf(text))
    .replaceAll('+', ' ')
    .replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Strict, as nginx: null for a text that is not base64. */
export function decodeBase64(text: unknown): RawText | undefined {
  const given = raw(bytesOf(text));
  // A regular expression would look at each run of equals signs once for each of them.
  let end = given.length;
  while (given.charCodeAt(end - 1) === 0x3d) end--;
  const clean = given.slice(0, end);
  if (!/^[A-Za-z0-9+/]*$/.test(clean) || clean.length % 4 === 1) return undefined;
  return raw(Buffer.from(clean, 'base64'));
}

function encodeArgs(args: unknown): RawText {
  if (typeof args !== 'object' || args === null) throw new Error('table expected');
  const pair = (name: string, value: unknown): string[] => {
    if (value === true) return [escapeUri(name, 2)];
    if (value === false) return [];
    return [`${escapeUri(name, 2)}=${escapeUri(value, 2)}`];
  };
  return Object.entries(args)
    .flatMap(([name, value]) =>
      Array.isArray(value) ? value.flatMap((one) => pair(name, one)) : pair(name, value),
    )
    .join('&');
}

export function decodeArgs(text: unknown, max: unknown): Table {
  const args: Table = {};
  const limit = typeof max === 'number' && max > 0 ? max : 100;
  for (const part of raw(bytesOf(text))
    .split('&')
    .filter((one) => one !== '')
    .slice(0, limit)) {
    const at = part.indexOf('=');
    const name = unescapeUri(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? true : unescapeUri(part.slice(at + 1));
    if (name === '') continue;
    const known: unknown = Object.hasOwn(args, name) ? args[name] : undefined;
    if (Array.isArray(known)) known.push(value);
    else {
      const all = known === undefined ? value : [known, value];
      Object.defineProperty(args, name, { value: all, enumerable: true, configurable: true, writable: true });
    }
  }
  return args;
}

const sqlEscapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\b': '\\b',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u001a': '\\Z',
};
const sqlEscape = (one: string): string => sqlEscapes[one] ?? `\\${one}`;
const unquotable = new RegExp(`[\\\\'"${Object.keys(sqlEscapes).join('')}]`, 'g');

const two = (number: number): string => String(number).padStart(2, '0');
const day = (date: Date): string =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** The functions of `ngx` that need their arguments, the clock or the record only. */
export function luaNgx(
  { record, wall, write }: LuaSource,
  request: RequestView,
  limited: (table: Table, count: number) => Table,
): Table {
  const now = (): Date => new Date(wall());
  const digest = (algorithm: string, text: unknown): Buffer =>
    createHash(algorithm).update(bytesOf(text)).digest();
  const status = (): unknown => field(record(), 'response', 'status');
  const headersOf = (part: string) => (): Table => (field(record(), part, 'headers') ?? {}) as Table;
  const count = (max: unknown): number => (typeof max === 'number' ? (max <= 0 ? Infinity : max) : 100);
  return {
    ...ngxConstants,
    now: () => wall() / 1000,
    time: () => Math.floor(wall() / 1000),
    today: () => day(now()),
    localtime: () => `${day(now())} ${now().toTimeString().slice(0, 8)}`,
    utctime: () => now().toISOString().slice(0, 19).replace('T', ' '),
    http_time: httpTime,
    cookie_time: cookieTime,
    parse_http_time: parseHttpTime,
    update_time: () => undefined,
    encode_base64: (text: unknown, noPadding: unknown) => {
      const encoded = bytesOf(text).toString('base64');
      return noPadding === true ? encoded.replace(/=+$/, '') : encoded;
    },
    decode_base64: decodeBase64,
    md5: (text: unknown) => digest('md5', text).toString('hex'),
    md5_bin: (text: unknown) => raw(digest('md5', text)),
    sha1_bin: (text: unknown) => raw(digest('sha1', text)),
    hmac_sha1: (key: unknown, text: unknown) =>
      raw(createHmac('sha1', bytesOf(key)).update(bytesOf(text)).digest()),
    crc32_short: (text: unknown) => crc32(bytesOf(text)),
    crc32_long: (text: unknown) => crc32(bytesOf(text)),
    escape_uri: escapeUri,
    unescape_uri: unescapeUri,
    encode_args: encodeArgs,
    decode_args: decodeArgs,
    quote_sql_str: (text: unknown) => `'${raw(bytesOf(text)).replace(unquotable, sqlEscape)}'`,
    get_phase: () => 'log',
    log: (level: unknown, ...parts: unknown[]) =>
      write(
        Number(level) <= 4
          ? 'error'
          : Number(level) === 5
            ? 'warn'
            : Number(level) === 6
              ? 'notice'
              : 'debug',
        parts.map(luaText).join(''),
      ),
    status_of_record: status,
    req: {
      get_headers: (max: unknown) => limited(request.headers, count(max)),
      get_method: () => field(record(), 'request', 'method'),
      get_uri_args: (max: unknown) =>
        limited((field(record(), 'request', 'querystring') ?? {}) as Table, count(max)),
      start_time: () => Number(field(record(), 'started_at') ?? 0) / 1000,
      is_internal: () => false,
    },
    resp: { get_headers: (max: unknown) => limited(headersOf('response')(), count(max)) },
    config: { subsystem: 'http', debug: false },
    worker: { exiting: () => false },
  };
}
