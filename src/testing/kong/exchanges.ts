import { uuidOf } from '../../base/uuid.ts';
import {
  Exchange,
  HttpExchange,
  Router,
  assignWorkspace,
  createNodeState,
  destinationOf,
  route,
} from '../../kong-end/index.ts';
import type { SandboxLog, TlsInfo } from '../../kong-end/index.ts';
import type { KongDescription } from '../description.ts';
import { misuse } from '../misuse.ts';
import { bodyBytes, headerLines, requestMessage } from './messages.ts';
import { requestLine } from './request-line.ts';
import type { KongSnapshot } from './snapshot.ts';
import { snapshotOf } from './snapshot.ts';

/** Kong's client_body_buffer_size, in bytes. */
const defaultBodyBuffer = 8192;

/** One described request on its way through Kong. */
export interface RequestWorld {
  readonly described: KongDescription;
  readonly kong: KongSnapshot;
  readonly stream: boolean;
  readonly exchange: Exchange;
  /** The connection during its TLS handshake: nothing of a request is known. */
  readonly handshake: Exchange;
  readonly log: SandboxLog;
}

/**
 * Builds what Kong holds of a request before its first phase.
 * @param prefix folder for bodies that are too large for memory
 * @throws KongTsError TEST_MISUSE
 */
export function requestWorld(described: KongDescription, prefix: string, log: SandboxLog): RequestWorld {
  const stream = described.subsystem === 'stream';
  const kong = snapshotOf(described, stream);
  const request = described.request ?? {};
  const node = createNodeState({
    id: uuidOf('kong-ts/testing'),
    prefix,
    log,
    isTrusted: () => request.trusted === true,
    snapshot: () => kong.snapshot,
  });
  const from = { ip: request.clientIp ?? '127.0.0.1', port: request.clientPort ?? 54_321 };
  const line = requestLine(request, kong.route);
  const sni = request.sni ?? line.host;
  const tls: TlsInfo = {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    sni,
    clientCertificate: null,
  };
  const handshake = new Exchange(node, stream ? 'stream' : 'http', from, line.port, 0, {
    ...tls,
    cipher: '',
  });
  if (stream) {
    const secure = request.scheme === 'https' || kong.route.protocols.includes('tls');
    const port = request.port ?? kong.route.destinations?.[0]?.port ?? 9000;
    const exchange = new Exchange(node, 'stream', from, port, 0, secure ? tls : null);
    leaveValues(exchange, described);
    return { described, kong, stream, exchange, handshake, log };
  }
  const { bytes, contentType } = bodyBytes(request.body);
  const usual = line.scheme === 'https' ? 443 : 80;
  const message = requestMessage({
    method: line.method,
    target: line.target,
    httpVersion: request.httpVersion ?? '1.1',
    headers: headerLines(request.headers ?? {}, [
      ['host', line.port === usual ? line.host : `${line.host}:${String(line.port)}`],
      ['accept', '*/*'],
      ['content-type', contentType],
      ['content-length', bytes.length === 0 ? null : String(bytes.length)],
    ]),
    body: bytes,
    ends: { remoteAddress: from.ip, remotePort: from.port, localPort: line.port },
  });
  const buffer = described.bodyBufferBytes ?? defaultBodyBuffer;
  const exchange = new HttpExchange(node, message, 0, buffer, line.scheme === 'https' ? tls : null);
  leaveValues(exchange, described);
  return { described, kong, stream, exchange, handshake, log };
}

function leaveValues(exchange: Exchange, { leftByLua }: KongDescription): void {
  for (const [name, value] of Object.entries(leftByLua?.shared ?? {})) exchange.shared.set(name, value);
  for (const [name, value] of Object.entries(leftByLua?.nginx ?? {})) exchange.ngxContext.set(name, value);
}

/** What Kong does between rewrite and access, or before preread. @throws KongTsError TEST_MISUSE */
export function routeRequest({ described, kong, exchange, log }: RequestWorld): void {
  if (exchange instanceof HttpExchange) {
    route(exchange, new Router(kong.snapshot, log), kong.snapshot);
    // A request in the clear on an https-only route has no route either: there Kong's own answer is what is said.
    if (exchange.route === null && (exchange.aborted?.status ?? 404) === 404) {
      throw misuse(
        `The request ${exchange.method} ${exchange.uri} (host ${exchange.host}) does not meet the described route.`,
        'Describe a request that the route takes, or a route without the rule that it fails.',
      );
    }
  } else {
    exchange.route = kong.route;
    exchange.service = kong.service;
    assignWorkspace(exchange, kong.snapshot);
    exchange.destination = destinationOf(kong.service);
  }
  exchange.consumer = kong.consumer;
  if (described.credential != null) {
    exchange.credential = { ...described.credential };
  } else if (kong.consumer !== null && described.credential === undefined) {
    const consumer_id = kong.consumer.id;
    exchange.credential = { id: uuidOf(`credential of ${consumer_id}`), consumer_id };
  }
}
