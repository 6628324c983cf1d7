import { encodeText } from '../../wire/text.ts';
import type { HttpExchange } from '../gateway/http-exchange.ts';
import { escapePath, formatQuery } from '../gateway/uri.ts';
import { formatBody } from './body-format.ts';
import { bytes, headerName, headerTable, headerValues, httpOf, reject, table, text } from './checks.ts';
import type { Implementations } from './types.ts';

const methods = new Set(
  'GET HEAD PUT POST DELETE OPTIONS MKCOL COPY MOVE PROPFIND PROPPATCH LOCK UNLOCK PATCH TRACE'.split(' '),
);

function setHeader(exchange: HttpExchange, name: string, values: string[]): void {
  if (name.toLowerCase() === 'host') exchange.upstreamHost = values[0] ?? null;
  exchange.headers.set(name, values);
}

function setBody(exchange: HttpExchange, body: Buffer): void {
  exchange.body.replace(body);
  exchange.headers.delete('transfer-encoding');
  exchange.headers.set('content-length', String(body.length));
}

/** Removes every argument of that name; a `+` in what is left becomes `%20`. */
function withoutArgument(query: string, name: string): string {
  const named = (part: string): string => {
    const raw = part.split('=')[0] ?? '';
    try {
      return decodeURIComponent(raw.replaceAll('+', ' '));
    } catch {
      return raw;
    }
  };
  return query
    .split('&')
    .filter((part) => named(part) !== name)
    .map((part) => (part === '' || part.includes('=') ? part : `${part}=`))
    .join('&')
    .replaceAll('+', '%20');
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
    httpOf(call).upstream.query = text(query, 'query');
    return null;
  },
  'kong.service.request.set_method': (call, [method]) => {
    const value = text(method, 'method');
    if (!methods.has(value)) return reject(`invalid method: ${value}`);
    httpOf(call).upstream.method = value;
    return null;
  },
  'kong.service.request.set_query': (call, [args]) => {
    httpOf(call).upstream.query = formatQuery(table(args, 'args'));
    return null;
  },
  'kong.service.request.clear_query_arg': (call, [name]) => {
    const { upstream } = httpOf(call);
    upstream.query = withoutArgument(upstream.query, text(name, 'query argument name'));
    return null;
  },
  'kong.service.request.set_header': (call, [name, value]) => {
    setHeader(httpOf(call), headerName(name), headerValues(headerName(name), value));
    return null;
  },
  'kong.service.request.add_header': (call, [name, value]) => {
    const exchange = httpOf(call);
    const values = headerValues(headerName(name), value);
    setHeader(exchange, headerName(name), [...exchange.headers.getAll(headerName(name)), ...values]);
    return null;
  },
  'kong.service.request.clear_header': (call, [name]) => {
    httpOf(call).headers.delete(text(name, 'header'));
    return null;
  },
  'kong.service.request.set_headers': (call, [headers]) => {
    for (const [name, values] of headerTable(headers)) setHeader(httpOf(call), name, values);
    return null;
  },
  'kong.service.request.set_raw_body': (call, [body]) => {
    const value = bytes(body, 'body');
    setBody(httpOf(call), typeof value === 'string' ? encodeText(value) : value);
    return null;
  },
  'kong.service.request.set_body': (call, [args, mime]) => {
    const exchange = httpOf(call);
    const fields = table(args, 'args');
    const type =
      mime === null || mime === undefined ? exchange.headers.get('content-type') : text(mime, 'mime');
    if (type === null) return null;
    const formatted = formatBody(type, fields);
    if (formatted === null) return reject(`unsupported content type ${type}`);
    setBody(exchange, formatted.body);
    exchange.headers.set('content-type', formatted.contentType);
    return true;
  },
  'kong.service.request.disable_tls': ({ exchange }) => {
    if (exchange.destination !== null) exchange.destination.disableTls = true;
    return null;
  },
};
