import { encodeText } from '../../base/text.ts';
import type { HttpExchange } from '../request/http-exchange.ts';
import { escapePath, formatQuery } from '../request/uri.ts';
import { formatBody } from './body-format.ts';
import {
  bytes,
  escapedName,
  headerName,
  headerTable,
  headerValues,
  httpOf,
  reject,
  table,
  text,
} from './checks.ts';
import { clearArgument, setQuery } from './query.ts';
import { clearRequestHeader, setRequestHeader } from './request-header.ts';
import type { Implementations } from './types.ts';

const methods = new Set(
  'GET HEAD PUT POST DELETE OPTIONS MKCOL COPY MOVE PROPFIND PROPPATCH LOCK UNLOCK PATCH TRACE'.split(' '),
);

/** ngx.req.read_body, then ngx.req.set_body_data. If the first fails, the request ends. */
async function setBody(exchange: HttpExchange, body: Buffer): Promise<void> {
  const read = await exchange.body.read().catch(() => null);
  if (read === null) return;
  exchange.body.replace(body);
  exchange.headers.delete('transfer-encoding');
  exchange.headers.set('Content-Length', String(body.length));
}

export const serviceRequestFunctions: Implementations = {
  'kong.service.request.enable_buffering': (call) => {
    httpOf(call).buffered = true;
    return null;
  },
  'kong.service.request.set_scheme': (call, [scheme]) => {
    const value = text(scheme, 'scheme');
    if (value !== 'http' && value !== 'https') return reject(`invalid scheme: ${value}`);
    const { destination } = httpOf(call);
    if (destination !== null) destination.scheme = value;
    return null;
  },
  'kong.service.request.set_path': (call, [path]) => {
    const value = text(path, 'path');
    if (!value.startsWith('/')) return reject('path must start with /');
    httpOf(call).upstream.path = escapePath(value);
    return null;
  },
  'kong.service.request.set_raw_query': (call, [query]) => {
    setQuery(httpOf(call), text(query, 'query'));
    return null;
  },
  'kong.service.request.set_method': (call, [method]) => {
    const value = text(method, 'method');
    if (!methods.has(value)) return reject(`invalid method: ${value}`);
    httpOf(call).upstream.method = value;
    return null;
  },
  'kong.service.request.set_query': (call, [args]) => {
    setQuery(httpOf(call), formatQuery(table(args, 'args')));
    return null;
  },
  'kong.service.request.clear_query_arg': (call, [name]) => {
    clearArgument(httpOf(call), text(name, 'query argument name'));
    return null;
  },
  'kong.service.request.set_header': (call, [name, value]) => {
    setRequestHeader(httpOf(call), headerName(name), headerValues(headerName(name), value));
    return null;
  },
  'kong.service.request.add_header': (call, [name, value]) => {
    const exchange = httpOf(call);
    const values = headerValues(headerName(name), value);
    setRequestHeader(exchange, headerName(name), [...exchange.headers.getAll(headerName(name)), ...values]);
    return null;
  },
  'kong.service.request.clear_header': (call, [name]) => {
    clearRequestHeader(httpOf(call), escapedName(text(name, 'header')));
    return null;
  },
  'kong.service.request.set_headers': (call, [headers]) => {
    for (const [name, values] of headerTable(headers)) setRequestHeader(httpOf(call), name, values);
    return null;
  },
  'kong.service.request.set_raw_body': async (call, [body]) => {
    const value = bytes(body, 'body');
    await setBody(httpOf(call), typeof value === 'string' ? encodeText(value) : value);
    return null;
  },
  'kong.service.request.set_body': async (call, [args, mime]) => {
    const exchange = httpOf(call);
    const fields = table(args, 'args');
    const type =
      mime === null || mime === undefined ? exchange.headers.get('content-type') : text(mime, 'mime');
    if (type === null) return null;
    const formatted = formatBody(type, fields);
    if (formatted === null) return reject(`unsupported content type ${type}`);
    await setBody(exchange, formatted.body);
    exchange.headers.set('Content-Type', formatted.contentType);
    return true;
  },
  'kong.service.request.disable_tls': ({ exchange }) => {
    if (exchange.destination !== null) exchange.destination.disableTls = true;
    return null;
  },
};
