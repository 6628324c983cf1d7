import type { ConfigSnapshot, RouteEntity } from '../entities/types.ts';
import type { Destination, Exchange } from '../request/exchange.ts';
import type { HttpExchange } from '../request/http-exchange.ts';
import { defaultWorkspaceOf } from '../request/plugins.ts';
import type { RouteMatch, Router } from './router.ts';
import { upstreamPath } from '../request/upstream-uri.ts';
import { escapePath } from '../request/uri.ts';

/** Which workspace an exchange belongs to: its route's, or the default one. */
export function assignWorkspace(
  exchange: Exchange,
  snapshot: ConfigSnapshot,
  route: RouteEntity | null = exchange.route,
): void {
  const id = route?.ws_id ?? defaultWorkspaceOf(snapshot);
  const workspace = snapshot.workspaces.find((each) => each.id === id);
  exchange.workspace = { id, name: workspace?.name ?? 'default' };
}

export function destinationOf(service: RouteMatch['service']): Destination {
  return {
    scheme: service?.protocol ?? 'http',
    host: service?.host ?? '',
    port: service?.port ?? 80,
    retries: service?.retries ?? 5,
    connectTimeoutMs: service?.connect_timeout ?? 60_000,
    writeTimeoutMs: service?.write_timeout ?? 60_000,
    readTimeoutMs: service?.read_timeout ?? 60_000,
    disableTls: false,
  };
}

/** Finds the route and prepares the request for the upstream. Makes Kong's answer if there is no route or no HTTPS. */
export function route(exchange: HttpExchange, router: Router, snapshot: ConfigSnapshot): void {
  const match = router.match({
    method: exchange.upstream.method,
    // The client's header, whatever rewrite has set, and whatever an absolute target says.
    host: exchange.clientHeaders.get('host'),
    port: exchange.port,
    path: exchange.path,
    headers: exchange.headers,
    sni: exchange.tls?.sni ?? null,
    tls: exchange.tls !== null,
  });
  if (match === null) {
    assignWorkspace(exchange, snapshot);
    exchange.abort(404, null, 'no Route matched with those values');
    return;
  }
  assignWorkspace(exchange, snapshot, match.route);
  prepareForwarded(exchange, match);
  // Kong notes the route only after this: records and plugins of log know of none.
  if (redirectToHttps(exchange, match)) return;
  exchange.route = match.route;
  exchange.service = match.service;
  exchange.captures = match.captures;
  exchange.destination = destinationOf(match.service);
  exchange.upstream.path = escapePath(
    upstreamPath(match.route, match.service?.path ?? '/', exchange.path, match.postfix),
  );
  if (match.route.preserve_host) exchange.upstreamHost = exchange.clientHeaders.get('host');
}

function prepareForwarded(exchange: HttpExchange, match: RouteMatch): void {
  const { forwarded, clientHeaders: headers, client } = exchange;
  const before = headers.get('x-forwarded-for');
  forwarded.for = before === null ? exchange.realIp : `${before}, ${client.ip}`;
  forwarded.host = exchange.host;
  const prefix = match.prefix === '/' ? null : match.prefix;
  forwarded.prefix = prefix;
  if (!exchange.node.isTrusted(client.ip)) return;
  forwarded.proto = headers.get('x-forwarded-proto') ?? forwarded.proto;
  forwarded.host = headers.get('x-forwarded-host') ?? forwarded.host;
  forwarded.port = headers.get('x-forwarded-port') ?? forwarded.port;
  forwarded.path = headers.get('x-forwarded-path') ?? forwarded.path;
  forwarded.prefix = headers.get('x-forwarded-prefix') ?? prefix;
}

function redirectToHttps(exchange: HttpExchange, match: RouteMatch): boolean {
  const { protocols, https_redirect_status_code: code } = match.route;
  if (!protocols.includes('https') || protocols.includes('http')) return false;
  if (exchange.forwarded.proto === 'https') return false;
  if (code === 426) {
    exchange.answer.headers.set('Connection', 'Upgrade');
    exchange.answer.headers.set('Upgrade', 'TLS/1.2, HTTP/1.1');
    exchange.abort(426, null, 'Please use HTTPS protocol');
    return true;
  }
  exchange.answer.headers.set('Location', `https://${exchange.forwarded.host}${exchange.uri}`);
  exchange.answer.headers.set('Content-Length', '0');
  exchange.finish(code, Buffer.alloc(0), 'exit');
  return true;
}
