import { latin1OfText, rawHeaderLines, requestTarget } from './bytes.ts';
import { connectionOptions } from './connection-header.ts';
import type { Peer } from './balancer.ts';
import type { Destination } from './exchange.ts';
import type { HttpExchange } from './http-exchange.ts';
import { serverHeader } from './node-state.ts';

const dropped = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-real-ip',
  'x-kong-request-id',
  'via',
]);

/**
 * Request line and headers for the upstream.
 * @param length the announced length, null: none. The body itself may have
 * another
 */
export function upstreamHead(
  exchange: HttpExchange,
  destination: Destination,
  peer: Peer,
  length: number | null,
): Buffer {
  const { method } = exchange.upstream;
  const target = upstreamUri(exchange);
  const raw = rawHeaderLines(upstreamHeaders(exchange, destination, peer, length));
  let text = `${method} ${requestTarget(target)} HTTP/1.1\r\n`;
  for (let at = 0; at < raw.length; at += 2) text += `${raw[at] ?? ''}: ${raw[at + 1] ?? ''}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** Path and query as they go to the upstream. */
export function upstreamUri({ uri, emptiedQuery, upstream: { path, query } }: HttpExchange): string {
  return query === '' && !uri.endsWith('?') && !emptiedQuery ? path : `${path}?${query}`;
}

/**
 * Before the request goes out, removes headers that concern only the client's connection. The headers that Connection
 * lists are gone for log records, too. Kong looks at the client's own headers, whatever rewrite made of them.
 */
export function dropHopByHop({ headers, clientHeaders }: HttpExchange): void {
  const listed = clientHeaders.get('connection');
  if (listed !== 'keep-alive' && listed !== 'close' && listed !== 'upgrade')
    for (const name of connectionOptions(listed)) if (name !== '') headers.delete(name);
  if (clientHeaders.has('proxy')) headers.delete('proxy');
  if (clientHeaders.has('proxy-connection')) headers.delete('proxy-connection');
}

function hostHeader(exchange: HttpExchange, destination: Destination, peer: Peer): string {
  if (exchange.upstreamHost !== null) return exchange.upstreamHost;
  const name = peer.hostHeader ?? (peer.name.includes(':') ? `[${peer.name}]` : peer.name);
  const usual = destination.scheme === 'https' ? 443 : 80;
  return peer.port === usual ? name : `${name}:${String(peer.port)}`;
}

/** The name for TLS: the upstream's name in Host, without a port. */
export function tlsName(exchange: HttpExchange, peer: Peer): string {
  return latin1OfText(exchange.upstreamHost ?? peer.name)
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
}

function* upstreamHeaders(
  exchange: HttpExchange,
  destination: Destination,
  peer: Peer,
  length: number | null,
): Generator<[string, string]> {
  const { forwarded, headers, clientHeaders, id } = exchange;
  const via = clientHeaders.get('via');
  // A number in Kong: HTTP/1.0 is `1`.
  const own = `${String(Number(exchange.request.httpVersion))} ${serverHeader}`;
  if (connectionOptions(clientHeaders.get('te')).has('trailers')) yield ['TE', 'trailers'];
  yield ['Via', via === null ? own : `${via}, ${own}`];
  yield ['Host', hostHeader(exchange, destination, peer)];
  yield ['Connection', 'keep-alive'];
  yield ['X-Forwarded-For', forwarded.for];
  yield ['X-Forwarded-Proto', forwarded.proto];
  yield ['X-Forwarded-Host', forwarded.host];
  yield ['X-Forwarded-Port', String(forwarded.port)];
  yield ['X-Forwarded-Path', forwarded.path];
  if (forwarded.prefix !== null) yield ['X-Forwarded-Prefix', forwarded.prefix];
  yield ['X-Real-IP', exchange.realIp];
  yield ['X-Kong-Request-Id', id];
  if (length !== null) yield ['Content-Length', String(length)];
  for (const [name, value, key] of headers) if (!dropped.has(key)) yield [name, value];
}
