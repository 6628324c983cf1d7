import { answerTable } from '../request/answer-table.ts';
import { errorBody, errorMessage, errorType, templateType } from '../request/errors.ts';
import type { HttpExchange } from '../request/http-exchange.ts';
import { areHeaderValues, keptValues, responseHeaderName } from '../request/response-header-names.ts';
import { PdkExit } from '../plugin-server/failure.ts';
import { encodeText } from '../../base/text.ts';
import { entity } from './client.ts';
import {
  escapedName,
  headerName,
  headerTable,
  headerValues,
  httpOf,
  integer,
  maximum,
  reject,
  text,
} from './checks.ts';
import type { Implementations, PdkCall } from './types.ts';

const bodiless = new Set([204, 304]);
const streamCodes = new Set([200, 400, 403, 500, 502, 503]);

function isTransferEncoding(name: string): boolean {
  return responseHeaderName(name).toLowerCase() === 'transfer-encoding';
}

/** ngx.header[name] = values. A Content-Length that is not a number is a Lua error, so the request ends with 500. */
function setHeader(exchange: HttpExchange, name: string, values: string[]): void {
  if (isTransferEncoding(name)) {
    exchange.node.log('warn', '[kong] manually setting Transfer-Encoding. Ignored.');
    return;
  }
  if (!areHeaderValues(name, values)) reject('failed to set header');
  exchange.answer.headers.set(responseHeaderName(name), keptValues(name, values));
}

/**
 * ngx.resp.add_header: a header that nginx keeps only once is set. A Transfer-Encoding is one more line, and changes no
 * framing.
 */
function addHeader(exchange: HttpExchange, name: string, values: string[]): void {
  const { headers } = exchange.answer;
  if (!areHeaderValues(name, values)) reject('failed to set header');
  headers.set(
    responseHeaderName(name),
    keptValues(name, [...headers.getAll(responseHeaderName(name)), ...values]),
  );
}

function bodyOf(body: unknown): { content: Buffer; json: boolean } {
  if (body === null || body === undefined) return { content: Buffer.alloc(0), json: false };
  if (typeof body === 'string') return { content: encodeText(body), json: false };
  if (Buffer.isBuffer(body)) return { content: body, json: false };
  if (typeof body === 'object') return { content: encodeText(JSON.stringify(body)), json: true };
  return reject('body must be a nil, string or table');
}

function exit(call: PdkCall, status: unknown, body: unknown, headers: unknown): never {
  const { exchange } = call;
  // ProtoBuf:1 has no body that is nil.
  const given = body ?? (call.protocol === 'protobuf' ? '' : null);
  const { content, json } = bodyOf(given);
  if (exchange.subsystem === 'stream') {
    if (typeof status !== 'number') return reject('code must be a number');
    if (!streamCodes.has(status))
      return reject('unacceptable code, only 200, 400, 403, 500, 502 and 503 are accepted');
    exchange.abort(status, content);
    throw new PdkExit();
  }
  const http = httpOf(call);
  const code = integer(status, 'code', 100, 599);
  const lines = headers === null || headers === undefined ? [] : headerTable(headers);
  for (const [name, values] of lines) setHeader(http, name, values);
  const named = new Set(lines.map(([name]) => responseHeaderName(name).toLowerCase()));
  if (json && !named.has('content-type'))
    http.answer.headers.set('Content-Type', 'application/json; charset=utf-8');
  // If there is nothing to send, nginx answers these by itself, and without a length.
  if (given === null && bodiless.has(code)) http.answer.headers.delete('Content-Length');
  // An empty list sets no header, and keeps Kong from setting its own.
  else if (!named.has('content-length')) http.answer.headers.set('Content-Length', String(content.length));
  http.finish(code, content, 'exit');
  throw new PdkExit();
}

function error(call: PdkCall, status: unknown, message: unknown, headers: unknown): never {
  const http = httpOf(call);
  const code = integer(status, 'code', 400, 599);
  const nothing = message === null || message === undefined;
  // Over MsgPack:1 Kong loses what follows a nil (measured on Kong 3.9.3).
  const lost = headers === null || headers === undefined || (nothing && call.protocol === 'msgpack');
  const lines = lost ? [] : headerTable(headers);
  const words =
    nothing || message === ''
      ? errorMessage(code)
      : typeof message === 'object'
        ? JSON.stringify(message)
        : text(message, 'message');
  const given = lines.find(([name]) => name === 'Content-Type')?.[1][0];
  const type = given === undefined ? errorType(http.headers.get('accept')) : templateType(given);
  if (type === null) return reject("bad argument #1 to 'format' (string expected, got nil)");
  const answer = errorBody(words, http.id, type);
  for (const [name, values] of lines) setHeader(http, name, values);
  if (given === undefined) http.answer.headers.set('Content-Type', answer.contentType);
  if (!lines.some(([name]) => responseHeaderName(name).toLowerCase() === 'content-length'))
    http.answer.headers.set('Content-Length', String(answer.body.length));
  http.finish(code, answer.body, 'exit');
  throw new PdkExit();
}

function headersTable(call: PdkCall, max?: number): Record<string, string | string[]> {
  return answerTable(httpOf(call), call.phase === 'log', max);
}

/** The first value of the header among the first hundred. */
function headerOf(call: PdkCall, name: string): string | null {
  const headers = headersTable(call);
  const value = headers[name] ?? headers[responseHeaderName(name).toLowerCase()];
  return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
}

export const responseFunctions: Implementations = {
  'kong.response.get_status': (call) => httpOf(call).answer.status,
  'kong.response.get_header': (call, [name]) => headerOf(call, text(name, 'header name')),
  'kong.response.get_headers': (call, [max]) => headersTable(call, maximum(max, 'max_headers')),
  'kong.response.get_source': (call) => httpOf(call).answer.source,
  'kong.response.set_status': (call, [status]) => {
    const { answer } = httpOf(call);
    answer.status = integer(status, 'code', 100, 599);
    answer.statusLine = null;
    return null;
  },
  'kong.response.set_header': (call, [name, value]) => {
    setHeader(httpOf(call), headerName(name), headerValues(String(name), value));
    return null;
  },
  'kong.response.add_header': (call, [name, value]) => {
    addHeader(httpOf(call), headerName(name), headerValues(headerName(name), value));
    return null;
  },
  'kong.response.clear_header': (call, [name]) => {
    const { headers, cleared } = httpOf(call).answer;
    const key = responseHeaderName(escapedName(text(name, 'header name'))).toLowerCase();
    headers.delete(key);
    cleared.add(key);
    return null;
  },
  'kong.response.set_headers': (call, [headers]) => {
    for (const [name, values] of headerTable(headers)) setHeader(httpOf(call), name, values);
    return null;
  },
  'kong.response.get_raw_body': () => reject('function cannot be called in this phase'),
  'kong.response.set_raw_body': () => reject('function cannot be called in this phase'),
  'kong.response.exit': (call, [status, body, headers]) => exit(call, status, body, headers),
  'kong.response.error': (call, [status, message, headers]) => error(call, status, message, headers),
  'kong.router.get_route': ({ exchange }) => entity(exchange.route),
  'kong.router.get_service': ({ exchange }) => entity(exchange.service),
};
