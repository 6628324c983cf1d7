import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { encodeText } from '../../base/text.ts';
import { latin1OfText, requestTarget } from '../../kong-end/index.ts';
import type { ReceivedRequest, RequestHead } from '../../http/http1/index.ts';
import { emptyHead, parseTarget, validHost } from '../../http/http1/index.ts';
import type { BodyDescription, HeadersDescription } from '../description.ts';
import { misuse } from '../misuse.ts';

/** Where a message comes from and arrives. */
export interface Ends {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
}

/** A body as bytes, and the content type that it brings along. */
export function bodyBytes(body: BodyDescription | undefined): { bytes: Buffer; contentType: string | null } {
  if (body === undefined) return { bytes: Buffer.alloc(0), contentType: null };
  if (typeof body === 'string') return { bytes: encodeText(body), contentType: null };
  if (body instanceof Uint8Array) return { bytes: Buffer.from(body), contentType: null };
  return { bytes: encodeText(JSON.stringify(body)), contentType: 'application/json' };
}

/** Header lines as node:http has them, with those of the body added where they are missing. */
function rawHeaders(headers: readonly (readonly [string, string])[]): string[] {
  return headers.flatMap(([name, value]) => [name, latin1OfText(value)]);
}

/** Header lines of a description, then the given ones where the description has none of that name. */
export function headerLines(
  described: HeadersDescription,
  defaults: readonly (readonly [name: string, value: string | null])[],
): [string, string][] {
  const lines = Object.entries(described).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((line): [string, string] => [name, line]),
  );
  const given = new Set(lines.map(([name]) => name.toLowerCase()));
  const missing = defaults.filter(
    (line): line is readonly [string, string] => line[1] !== null && !given.has(line[0]),
  );
  return [...missing.map(([name, value]): [string, string] => [name, value]), ...lines];
}

/** A described request, before it has gone over a connection. */
interface DescribedRequest {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  readonly ends: Ends;
}

/** A request as the gateway has it after reading, without a connection. @throws KongTsError TEST_MISUSE */
export function requestMessage(request: DescribedRequest): ReceivedRequest {
  const message = emptyMessage(request.ends);
  message.method = request.method;
  message.url = requestTarget(request.target);
  message.httpVersion = request.httpVersion;
  filled(message, request.headers, request.body);
  return Object.assign(message, {
    head: headOf(request, message),
    bodyBytes: request.body.length,
    // No connection on which more of it could come, or a next request.
    declareLength: () => undefined,
  });
}

function headOf(request: DescribedRequest, { rawHeaders, url = '' }: IncomingMessage): RequestHead {
  const target = parseTarget(url);
  if (target === null)
    throw misuse(
      `Kong answers 400 to the request target ${url}: its percent-encoding or its way up is not valid.`,
      'Describe a path that Kong accepts.',
    );
  const line = `${request.method} ${url} HTTP/${request.httpVersion}`;
  const host =
    rawHeaders[rawHeaders.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'host') + 1];
  return {
    ...emptyHead,
    line,
    method: request.method,
    target,
    rawHeaders,
    bytes: rawHeaders.reduce((sum, text) => sum + text.length + 2, line.length + 4),
    host: host === undefined ? null : validHost(host),
    body: request.body.length === 0 ? null : request.body.length,
  };
}

function emptyMessage(ends: Ends): IncomingMessage {
  const socket = new Socket();
  for (const [name, value] of Object.entries(ends)) Object.defineProperty(socket, name, { value });
  return new IncomingMessage(socket);
}

function filled(
  message: IncomingMessage,
  headers: readonly (readonly [string, string])[],
  body: Buffer,
): IncomingMessage {
  message.rawHeaders = rawHeaders(headers);
  message.headers = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = message.headers[key];
    message.headers[key] = before === undefined ? value : `${String(before)}, ${value}`;
  }
  if (body.length > 0) message.push(body);
  message.push(null);
  message.complete = true;
  return message;
}
