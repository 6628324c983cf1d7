import type { Exchange } from '../request/exchange.ts';
import { HttpExchange } from '../request/http-exchange.ts';
import { upstreamUri } from '../request/upstream-request.ts';
import { parseQuery } from '../request/uri.ts';
import { text } from './checks.ts';
import type { Implementations } from './types.ts';

const common: Readonly<Record<string, (exchange: Exchange) => string | null>> = {
  remote_addr: (exchange) => exchange.realIp,
  realip_remote_addr: (exchange) => exchange.client.ip,
  remote_port: (exchange) => String(exchange.client.port),
  server_port: (exchange) => String(exchange.port),
  server_addr: () => '127.0.0.1',
  hostname: (exchange) => exchange.node.hostname,
  pid: () => String(process.pid),
  msec: () => (Date.now() / 1000).toFixed(3),
  time_iso8601: () => `${new Date().toISOString().slice(0, 19)}+00:00`,
  nginx_version: () => '1.25.3',
  ssl_protocol: (exchange) => exchange.tls?.version ?? null,
  ssl_cipher: (exchange) => exchange.tls?.cipher ?? null,
  ssl_server_name: (exchange) => exchange.tls?.sni ?? null,
  ssl_client_verify: (exchange) => (exchange.tls === null ? null : (exchange.clientVerify ?? 'NONE')),
  protocol: (exchange) => (exchange.subsystem === 'stream' ? 'TCP' : null),
};

const http: Readonly<Record<string, (exchange: HttpExchange) => string | null>> = {
  request_uri: (exchange) => exchange.uri,
  uri: (exchange) => exchange.decodedPath,
  document_uri: (exchange) => exchange.decodedPath,
  args: (exchange) => exchange.upstream.query || null,
  query_string: (exchange) => exchange.upstream.query || null,
  is_args: (exchange) => (exchange.upstream.query === '' ? '' : '?'),
  request_method: (exchange) => exchange.upstream.method,
  request: (exchange) => `${exchange.method} ${exchange.uri} HTTP/${exchange.request.httpVersion}`,
  scheme: (exchange) => exchange.scheme,
  https: (exchange) => (exchange.tls === null ? '' : 'on'),
  host: (exchange) => exchange.host,
  server_protocol: (exchange) => `HTTP/${exchange.request.httpVersion}`,
  content_type: (exchange) => exchange.headers.get('content-type'),
  content_length: (exchange) => exchange.headers.get('content-length'),
  request_id: (exchange) => exchange.id,
  kong_request_id: (exchange) => exchange.id,
  request_length: (exchange) => String(exchange.requestLength),
  request_time: (exchange) => ((Date.now() - exchange.startedAt) / 1000).toFixed(3),
  upstream_uri: (exchange) => upstreamVariable(exchange),
  upstream_scheme: (exchange) => exchange.destination?.scheme ?? null,
  upstream_host: (exchange) => exchange.upstreamHost,
  upstream_connection: () => 'keep-alive',
  upstream_via: () => '',
  upstream_x_forwarded_for: (exchange) => exchange.forwarded.for,
  upstream_x_forwarded_proto: (exchange) => exchange.forwarded.proto,
  upstream_x_forwarded_host: (exchange) => exchange.forwarded.host,
  upstream_x_forwarded_port: (exchange) => String(exchange.forwarded.port),
  upstream_x_forwarded_path: (exchange) => exchange.forwarded.path,
  upstream_x_forwarded_prefix: (exchange) => exchange.forwarded.prefix,
  kong_proxy_mode: () => 'http',
};

/** Kong puts the query behind the path when access is over. */
function upstreamVariable(exchange: HttpExchange): string {
  if (exchange.destination === null) return '';
  return exchange.proxied ? upstreamUri(exchange) : exchange.upstream.path;
}

function httpVariable(exchange: HttpExchange, name: string): string | null {
  if (Object.hasOwn(http, name)) return http[name]?.(exchange) ?? null;
  if (name.startsWith('http_')) return exchange.headers.getAlike(name.slice(5)).join(', ') || null;
  if (name.startsWith('sent_http_')) return exchange.answer.headers.getAlike(name.slice(10))[0] ?? null;
  if (name.startsWith('upstream_http_'))
    return exchange.upstreamAnswer?.headers.getAlike(name.slice(14))[0] ?? null;
  if (name.startsWith('arg_')) {
    const value = parseQuery(exchange.upstream.query)[name.slice(4)];
    const first = Array.isArray(value) ? value[0] : value;
    return typeof first === 'string' ? first : null;
  }
  if (name.startsWith('cookie_')) {
    const wanted = `${name.slice(7)}=`;
    const cookies = exchange.headers
      .getAll('cookie')
      .flatMap((line) => line.split(';').map((each) => each.trim()));
    return cookies.find((each) => each.startsWith(wanted))?.slice(wanted.length) ?? null;
  }
  return null;
}

function variable(exchange: Exchange, name: string): string | null {
  if (Object.hasOwn(common, name)) return common[name]?.(exchange) ?? null;
  return exchange instanceof HttpExchange ? httpVariable(exchange, name) : null;
}

export const nginxFunctions: Implementations = {
  'kong.nginx.get_var': ({ exchange }, [name]) => variable(exchange, text(name, 'variable name')),
  'kong.nginx.get_tls1_version_str': ({ exchange }) => exchange.tls?.version ?? null,
  'kong.nginx.req_start_time': ({ exchange }) => Math.floor(exchange.startedAt) / 1000,
  'kong.nginx.get_subsystem': ({ exchange }) => exchange.subsystem,
  'kong.nginx.get_statistics': ({ exchange }) => ({ ...exchange.node.statistics }),
};
