import { PdkRejection } from '../plugin-server/failure.ts';
import { latin1OfText } from '../request/bytes.ts';
import { HttpExchange } from '../request/http-exchange.ts';
import type { PdkCall } from './types.ts';

export function reject(message: string): never {
  throw new PdkRejection(message);
}

/** The exchange of a function that needs an HTTP request. */
export function httpOf(call: PdkCall): HttpExchange {
  if (call.exchange instanceof HttpExchange) return call.exchange;
  return reject(`function cannot be called in ${call.phase} phase`);
}

export function text(value: unknown, what: string): string {
  return typeof value === 'string' ? value : reject(`${what} must be a string`);
}

/** Raw bytes: msgpack `str` and `bin` are both strings for Kong. */
export function bytes(value: unknown, what: string): Buffer | string {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value : reject(`${what} must be a string`);
}

/** An integer between two bounds, both allowed. */
export function integer(value: unknown, what: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) return reject(`${what} must be an integer`);
  if (value < min || value > max)
    return reject(
      `${what} must be an integer between ${String(min)} and ${String(max)}: given ${String(value)}`,
    );
  return value;
}

export function table(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value))
    return value as Record<string, unknown>;
  return reject(`${what} must be a table`);
}

/** A maximum number of headers or arguments; 100 if none is given. ProtoBuf:1 cannot tell 0 from none. */
export function maximum(value: unknown, what: string): number {
  if (value === null || value === undefined || value === 0) return 100;
  if (typeof value !== 'number') return reject(`${what} must be a number`);
  if (value < 1) return reject(`${what} must be >= 1`);
  if (value > 1000) return reject(`${what} must be <= 1000`);
  return Math.trunc(value);
}

export function headerName(value: unknown): string {
  return typeof value === 'string'
    ? escapedName(value)
    : reject(`invalid header name: got ${typeof value}, expected string`);
}

/** A name as ngx_lua writes it: it percent-encodes bytes that would end the name, and those beyond ASCII. */
export function escapedName(name: string): string {
  return latin1OfText(name).replace(
    /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** A header's value as lines; Kong sends an empty value as one space. */
export function headerValues(name: string, value: unknown): string[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (Array.isArray(value) && value.some((each) => typeof each !== 'string'))
    return reject(`invalid header value in array "${name}": expected string`);
  return list.map((each) => {
    if (typeof each === 'number' || typeof each === 'boolean') return String(each);
    if (typeof each !== 'string')
      return reject(`invalid header value for "${name}": got ${each === null ? 'nil' : typeof each}`);
    return headerText(each === '' ? ' ' : each);
  });
}

/** nginx drops bytes that would end a header line, so nobody can smuggle anything into one. */
function headerText(value: string): string {
  return value.replace(/[\0\r\n]/g, (char) => (char === '\r' ? '%0D' : char === '\n' ? '%0A' : '%00'));
}

export function headerTable(value: unknown): [name: string, values: string[]][] {
  return Object.entries(table(value, 'headers')).map(([name, each]) => [
    escapedName(name),
    headerValues(name, each),
  ]);
}
