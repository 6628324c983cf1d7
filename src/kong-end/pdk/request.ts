import type { HttpExchange } from '../request/http-exchange.ts';
import { parseQuery } from '../request/uri.ts';
import { parseBody } from './body-format.ts';
import { httpOf, maximum, reject, text } from './checks.ts';
import { shownQuery } from './query.ts';
import { requestHeader } from './request-header.ts';
import type { Implementations, PdkCall } from './types.ts';

/** Bodies above this are not parsed by the sandbox. */
const maxParsedBody = 64 * 1024 * 1024;

/** A header of the client, if its address is trusted. */
function trusted(exchange: HttpExchange, header: string): string | null {
  return exchange.node.isTrusted(exchange.client.ip) ? (exchange.headers.getAlike(header)[0] ?? null) : null;
}

function forwardedHost(exchange: HttpExchange): { host: string | null; port: number | null } {
  const value = trusted(exchange, 'x-forwarded-host');
  if (value === null) return { host: null, port: null };
  const [host = '', port] = value.slice(value.indexOf('@') + 1).split(':');
  return { host: host.toLowerCase(), port: portOf(port) };
}

function portOf(value: string | null | undefined): number | null {
  const port = Number(value ?? Number.NaN);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null;
}

async function rawBody(call: PdkCall, maxSize: unknown): Promise<unknown> {
  const { body } = httpOf(call);
  if (maxSize !== null && maxSize !== undefined && typeof maxSize !== 'number')
    return reject('max_allowed_file_size must be a number');
  const content = await body
    .read()
    .catch((error: unknown) => reject(`cannot read the body: ${String(error)}`));
  if (content.kind === 'memory')
    return call.protocol === 'protobuf' ? { content: content.content } : content.content;
  if (call.protocol === 'protobuf') return { body_filepath: content.path };
  // Kong returns nil and its encoder for raw bodies fails on it (measured on Kong 3.9.3).
  const limit = diskLimit(maxSize);
  const bytes = limit === null ? null : await body.bytes(limit);
  return bytes ?? reject("bad argument #2 to 'packer' (string expected, got nil)");
}

/**
 * The largest body on disk that is read. 0 means no limit. A missing or negative number means that none is read (null).
 */
function diskLimit(maxSize: unknown): number | null {
  if (typeof maxSize !== 'number' || maxSize < 0) return null;
  return maxSize === 0 ? Number.POSITIVE_INFINITY : maxSize;
}

async function parsedBody(
  call: PdkCall,
  mime: unknown,
  maxArgs: unknown,
  maxSize: unknown,
): Promise<unknown> {
  const exchange = httpOf(call);
  const type = typeof mime === 'string' && mime !== '' ? mime : exchange.headers.get('content-type');
  const content = await exchange.body.read().catch(() => null);
  const limit = content?.kind === 'memory' ? maxParsedBody : diskLimit(maxSize);
  const bytes =
    limit === null ? null : await exchange.body.bytes(Math.min(limit, maxParsedBody)).catch(() => null);
  return bytes === null ? null : parseBody(type, bytes, maximum(maxArgs, 'max_args'));
}

export const requestFunctions: Implementations = {
  'kong.request.get_scheme': (call) => httpOf(call).scheme,
  'kong.request.get_host': (call) => httpOf(call).host,
  'kong.request.get_port': ({ exchange }) => exchange.port,
  'kong.request.get_forwarded_scheme': (call) =>
    trusted(httpOf(call), 'x-forwarded-proto')?.toLowerCase() ?? httpOf(call).scheme,
  'kong.request.get_forwarded_host': (call) => forwardedHost(httpOf(call)).host ?? httpOf(call).host,
  'kong.request.get_forwarded_port': (call) =>
    portOf(trusted(httpOf(call), 'x-forwarded-port')) ??
    forwardedHost(httpOf(call)).port ??
    httpOf(call).port,
  'kong.request.get_forwarded_path': (call) => trusted(httpOf(call), 'x-forwarded-path') ?? httpOf(call).path,
  'kong.request.get_forwarded_prefix': (call) =>
    trusted(httpOf(call), 'x-forwarded-prefix') ?? httpOf(call).forwarded.prefix,
  'kong.request.get_http_version': (call) => Number(httpOf(call).request.httpVersion),
  'kong.request.get_method': (call) => httpOf(call).upstream.method,
  'kong.request.get_path': (call) => httpOf(call).path,
  'kong.request.get_raw_path': (call) => httpOf(call).rawPath,
  'kong.request.get_path_with_query': (call) => httpOf(call).uri,
  'kong.request.get_raw_query': (call) => httpOf(call).upstream.query,
  'kong.request.get_query_arg': (call, [name]) => {
    const value = parseQuery(shownQuery(httpOf(call)))[text(name, 'query argument name')];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  },
  'kong.request.get_query': (call, [max]) => parseQuery(shownQuery(httpOf(call)), maximum(max, 'max_args')),
  'kong.request.get_header': (call, [name]) => requestHeader(httpOf(call).headers, text(name, 'header name')),
  'kong.request.get_headers': (call, [max]) => httpOf(call).headers.toTable(maximum(max, 'max_headers')),
  'kong.request.get_raw_body': (call, [maxSize]) => rawBody(call, maxSize),
  'kong.request.get_body': (call, [mime, maxArgs, maxSize]) => parsedBody(call, mime, maxArgs, maxSize),
  'kong.request.get_start_time': ({ exchange }) => Math.floor(exchange.startedAt),
  'kong.request.get_uri_captures': (call) => {
    const captures = httpOf(call).captures ?? { unnamed: [], named: {} };
    return call.protocol === 'protobuf' ? { ...captures, unnamed: captures.unnamed.slice(1) } : captures;
  },
};
