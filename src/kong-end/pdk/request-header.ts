import { latin1OfText } from '../request/bytes.ts';
import type { HeaderList } from '../request/headers.ts';
import type { HttpExchange } from '../request/http-exchange.ts';
import { isLength } from '../request/response-header-names.ts';
import { validHost } from '../../http/http1/index.ts';
import { reject } from './checks.ts';

/**
 * As Kong asks for one header. It takes nginx's variable first, which has all lines whose names differ in `-` and `_`
 * only. If that holds a comma and a space, the table of the first 100 headers decides (measured on Kong 3.9.3).
 */
export function requestHeader(headers: HeaderList, name: string): string | null {
  const values = headers.getAlike(name);
  if (values.length === 0) return null;
  const key = name.toLowerCase();
  const joined = values.join(key === 'cookie' ? '; ' : ', ');
  if (!joined.includes(', ')) return joined;
  const listed = headers.toTable()[key] ?? headers.toTable()[key.replaceAll('_', '-')] ?? null;
  return Array.isArray(listed) ? (listed[0] ?? null) : listed;
}

/** Headers that nginx keeps in a field of its own. Of a list, the last value wins. */
const single = new Set([
  'host',
  'connection',
  'if-modified-since',
  'if-unmodified-since',
  'if-match',
  'if-none-match',
  'user-agent',
  'referer',
  'content-type',
  'content-length',
  'range',
  'if-range',
  'transfer-encoding',
  'expect',
  'upgrade',
  'accept-encoding',
  'via',
  'authorization',
  'keep-alive',
  'x-real-ip',
  'depth',
  'destination',
  'overwrite',
  'date',
]);

/**
 * Sets a header of the request as ngx.req.set_header does it.
 * @throws PdkRejection for a length that is not a number
 */
export function setRequestHeader(exchange: HttpExchange, name: string, values: string[]): void {
  const key = name.toLowerCase();
  if (key === 'content-length' || key === 'transfer-encoding') {
    // Kong 3.9.3 ends the request with 500 (measured).
    for (const value of values) if (!isLength(value)) reject(`failed to set header "${name}" to "${value}"`);
  }
  const [last] = values.slice(-1);
  if (key === 'content-length') exchange.body.declare(last === undefined ? null : Number(last));
  if (key === 'host' && last !== undefined) setHost(exchange, last);
  exchange.headers.set(name, single.has(key) ? values.slice(-1) : values);
}

/** Removes a header of the request as ngx.req.clear_header does it. */
export function clearRequestHeader(exchange: HttpExchange, name: string): void {
  exchange.headers.delete(name);
  if (name.toLowerCase() === 'content-length') exchange.body.declare(null);
}

/** The Host for the upstream, and nginx's `$host`: forwarded headers and log records follow it. */
function setHost(exchange: HttpExchange, value: string): void {
  exchange.upstreamHost = value;
  const host = validHost(latin1OfText(value));
  if (host !== null) exchange.host = host;
}
