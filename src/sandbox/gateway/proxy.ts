import { messageOf } from '../../base/errors.ts';
import type { UpstreamMessage } from './attempt.ts';
import { attempt, AttemptFailure } from './attempt.ts';
import { NoPeer, UnresolvedPeer, dropHopByHop, now, tlsName, upstreamHead } from '../../kong-end/index.ts';
import type { Balancer, BodyContent, Destination, HttpExchange, Peer, Try } from '../../kong-end/index.ts';
import type { UpstreamConnections } from './upstream/connections.ts';

/** Once they may have reached an upstream, nginx sends these to no other one. */
const notRepeatable = new Set(['POST', 'LOCK', 'PATCH']);

/** The things that a request needs on its way to the upstream. */
export interface ProxyOptions {
  readonly balancer: Balancer;
  readonly connections: UpstreamConnections;
  /** Ends the attempts, in the middle if need be. */
  readonly signal: AbortSignal;
}

/**
 * Sends the request to the upstream, trying again as Kong does (proxy_next_upstream: error timeout). Resolves with the
 * answer, or null after it has made Kong's own answer (500, 502, 503, 504). Rejects only when `signal` ends it.
 */
export async function proxy(exchange: HttpExchange, options: ProxyOptions): Promise<UpstreamMessage | null> {
  const destination = exchange.destination as Destination;
  dropHopByHop(exchange);
  exchange.proxied = true;
  const body = await exchange.body.read();
  let left = destination.retries + 1;
  for (;;) {
    const entry = startTry(exchange);
    const peer = await choosePeer(exchange, destination, options.balancer, entry);
    if (peer === null) return null;
    const sentAt = now();
    exchange.latencies.kong = Math.round(sentAt - exchange.startedAt);
    try {
      return await send(exchange, destination, peer, body, options);
    } catch (error) {
      if (options.signal.aborted) throw error;
      const failure =
        error instanceof AttemptFailure ? error : new AttemptFailure(messageOf(error), 'error', true, false);
      const status = failure.kind === 'timeout' ? 504 : 502;
      exchange.tryStatuses.push(status);
      exchange.node.log('error', `[proxy] ${peer.ip}:${String(peer.port)}: ${failure.message}`);
      // nginx does not count a connection that was kept and has ended in the meantime.
      if (!(failure.reused && failure.kind === 'error')) left--;
      if (left <= 0 || !mayRepeat(exchange, failure)) {
        exchange.abort(status);
        return null;
      }
      entry.state = 'failed';
      entry.code = status;
    } finally {
      exchange.latencies.waiting = Math.round(now() - sentAt);
    }
  }
}

function mayRepeat(exchange: HttpExchange, failure: AttemptFailure): boolean {
  return failure.kind !== 'invalid' && !(failure.sent && notRepeatable.has(exchange.upstream.method));
}

function startTry(exchange: HttpExchange): Try {
  const start = now();
  const entry: Try = {
    balancer_start: Math.floor(start),
    balancer_start_ns: Math.floor(start * 1e6),
  };
  exchange.tries.push(entry);
  return entry;
}

/** The peer of a try. Null if there is none, after Kong's own answer. */
async function choosePeer(
  exchange: HttpExchange,
  destination: Destination,
  balancer: Balancer,
  entry: Try,
): Promise<Peer | null> {
  const start = now();
  try {
    const peer = await balancer.pick(exchange, destination);
    entry.ip = peer.ip;
    entry.port = peer.port;
    entry.balancer_latency = Math.floor(now() - start);
    entry.balancer_latency_ns = Math.floor((now() - start) * 1e6);
    return peer;
  } catch (error) {
    noPeer(exchange, error, entry);
    return null;
  }
}

function noPeer(exchange: HttpExchange, error: unknown, entry: Try): void {
  if (error instanceof UnresolvedPeer) {
    entry.ip = error.host;
    entry.port = error.port;
    exchange.node.log('error', `[balancer] ${error.message}`);
    exchange.abort(500);
    return;
  }
  const { message, status } = error instanceof NoPeer ? error : new NoPeer(messageOf(error));
  exchange.node.log('error', `[balancer] ${message}`);
  exchange.tries.pop();
  if (exchange.tries.length > 0) {
    exchange.abort(status);
    return;
  }
  exchange.proxied = false;
  exchange.abort(status, null, message);
}

function send(
  exchange: HttpExchange,
  destination: Destination,
  peer: Peer,
  body: BodyContent,
  { connections, signal }: ProxyOptions,
): Promise<UpstreamMessage> {
  const secure = (destination.scheme === 'https' || destination.scheme === 'wss') && !destination.disableTls;
  return attempt({
    target: {
      ip: peer.ip,
      port: peer.port,
      serverName: secure ? tlsName(exchange, peer) : null,
      verify: secure && (exchange.tlsVerify ?? exchange.service?.tls_verify ?? false),
    },
    method: exchange.upstream.method,
    head: upstreamHead(exchange, destination, peer, exchange.body.length),
    body,
    connectTimeoutMs: destination.connectTimeoutMs,
    writeTimeoutMs: destination.writeTimeoutMs,
    readTimeoutMs: destination.readTimeoutMs,
    connections,
    signal,
  });
}
