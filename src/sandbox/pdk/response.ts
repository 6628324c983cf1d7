import { errorBody, errorMessage, errorType } from '../gateway/errors.ts';
import type { HttpExchange } from '../gateway/http-exchange.ts';
import { PdkExit } from '../plugin-server/failure.ts';
import { encodeText } from '../../wire/text.ts';
import { entity } from './client.ts';
import { headerName, headerTable, headerValues, httpOf, integer, maximum, reject, text } from './checks.ts';
import type { Implementations, PdkCall } from './types.ts';

const streamCodes = new Set([200, 400, 403, 500, 502, 503]);

function setHeader(exchange: HttpExchange, name: string, values: string[]): void {
  if (name.toLowerCase() === 'transfer-encoding') {
    exchange.node.log('warn', '[kong] manually setting Transfer-Encoding. Ignored.');
    return;
  }
  exchange.answer.headers.set(name, values);
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
  const { content, json } = bodyOf(body);
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
  const given = new Set(lines.map(([name]) => name.toLowerCase()));
  if (json && !given.has('content-type'))
    http.answer.headers.set('Content-Type', 'application/json; charset=utf-8');
  http.answer.headers.set('Content-Length', String(content.length));
  http.finish(code, content, 'exit');
  throw new PdkExit();
}

function error(call: PdkCall, status: unknown, message: unknown, headers: unknown): never {
  const http = httpOf(call);
  const code = integer(status, 'code', 400, 599);
  const lines = headers === null || headers === undefined ? [] : headerTable(headers);
  const words =
    message === null || message === undefined || message === ''
      ? errorMessage(code)
      : typeof message === 'object'
        ? JSON.stringify(message)
        : text(message, 'message');
  const answer = errorBody(words, http.id, errorType(http.headers.get('accept')));
  for (const [name, values] of lines) setHeader(http, name, values);
  if (!lines.some(([name]) => name.toLowerCase() === 'content-type'))
    http.answer.headers.set('Content-Type', answer.contentType);
  http.answer.headers.set('Content-Length', String(answer.body.length));
  http.finish(code, answer.body, 'exit');
  throw new PdkExit();
}

/** In log the connection is over, and nginx shows its header as `close` (measured on Kong 3.9.3). */
function headersTable(call: PdkCall, max: number): Record<string, string | string[]> {
  const headers = httpOf(call).answer.headers.toTable(max);
  return call.phase === 'log' ? { ...headers, connection: 'close' } : headers;
}

export const responseFunctions: Implementations = {
  'kong.response.get_status': (call) => httpOf(call).answer.status,
  'kong.response.get_header': (call, [name]) => httpOf(call).answer.headers.get(text(name, 'header name')),
  'kong.response.get_headers': (call, [max]) => headersTable(call, maximum(max, 'max_headers')),
  'kong.response.get_source': (call) => httpOf(call).answer.source,
  'kong.response.set_status': (call, [status]) => {
    httpOf(call).answer.status = integer(status, 'code', 100, 599);
    return null;
  },
  'kong.response.set_header': (call, [name, value]) => {
    setHeader(httpOf(call), headerName(name), headerValues(String(name), value));
    return null;
  },
  'kong.response.add_header': (call, [name, value]) => {
    const { headers } = httpOf(call).answer;
    const values = headerValues(headerName(name), value);
    if (headerName(name).toLowerCase() !== 'transfer-encoding')
      headers.set(headerName(name), [...headers.getAll(headerName(name)), ...values]);
    return null;
  },
  'kong.response.clear_header': (call, [name]) => {
    httpOf(call).answer.headers.delete(text(name, 'header name'));
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
