import http from 'node:http';
import https from 'node:https';
import { messageOf } from '../../errors.ts';
import { attempt, AttemptFailure, type Agents } from './attempt.ts';
import { NoPeer, type Balancer, type Peer } from './balancer.ts';
import { rawHeaderLines, requestTarget, textOfLatin1 } from './bytes.ts';
import { connectionOf, connectionOptions } from './connection-header.ts';
import { now, type Destination, type Try } from './exchange.ts';
import { HeaderList } from './headers.ts';
import type { HttpExchange } from './http-exchange.ts';
import { serverHeader } from './node-state.ts';

/** Bodies up to this are read before the request goes out, so that it can be tried again. */
const smallBody = 8192;

const notRepeatable = new Set(['POST', 'LOCK', 'PATCH']);
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

export function createAgents(): Agents {
  const options = {
    keepAlive: true,
    keepAliveMsecs: 60_000,
    maxFreeSockets: 512,
    scheduling: 'lifo' as const,
  };
  return { http: new http.Agent(options), https: new https.Agent(options) };
}

/**
 * Sends the request to the upstream, trying again as Kong does. Resolves with the answer, or null after it has made
 * Kong's own answer (502, 503, 504). Rejects only when the client has gone.
 */
export async function proxy(
  exchange: HttpExchange,
  balancer: Balancer,
  agents: Agents,
  signal: AbortSignal,
): Promise<http.IncomingMessage | null> {
  const destination = exchange.destination as Destination;
  const announced = exchange.body.announced;
  const small = announced !== null && announced > 0 && announced <= smallBody;
  // A response phase may ask for the request's body, too.
  if (small || exchange.buffered) await exchange.body.read();
  exchange.proxied = true;
  let status: 502 | 504 = 502;
  for (let count = 0; count <= destination.retries; count++) {
    const start = now();
    let peer: Peer;
    try {
      peer = await balancer.pick(exchange, destination);
    } catch (error) {
      exchange.proxied = false;
      exchange.abort(503, null, error instanceof NoPeer ? error.message : 'name resolution failed');
      return null;
    }
    const entry = startTry(exchange, peer, start);
    const sentAt = now();
    try {
      const answer = await send(exchange, destination, peer, agents, signal);
      exchange.latencies.waiting = Math.round(now() - sentAt);
      return answer;
    } catch (error) {
      if (signal.aborted) throw error;
      const failure =
        error instanceof AttemptFailure ? error : new AttemptFailure(messageOf(error), 502, true);
      entry.state = 'failed';
      status = entry.code = failure.status;
      exchange.node.log('error', `[proxy] ${peer.ip}:${String(peer.port)}: ${failure.message}`);
      exchange.latencies.waiting = (exchange.latencies.waiting ?? 0) + Math.round(now() - sentAt);
      if (failure.stale) {
        exchange.tries.pop();
        count--;
        continue;
      }
      if (failure.sent && (!exchange.body.isBuffered || notRepeatable.has(exchange.upstream.method))) break;
    }
  }
  exchange.abort(status);
  return null;
}

function startTry(exchange: HttpExchange, peer: Peer, start: number): Try {
  const took = now() - start;
  const entry: Try = {
    ip: peer.ip,
    port: peer.port,
    balancer_start: Math.floor(start),
    balancer_start_ns: Math.floor(start * 1e6),
    balancer_latency: Math.floor(took),
    balancer_latency_ns: Math.floor(took * 1e6),
  };
  exchange.tries.push(entry);
  return entry;
}

async function send(
  exchange: HttpExchange,
  destination: Destination,
  peer: Peer,
  agents: Agents,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const secure = destination.scheme === 'https' || destination.scheme === 'wss';
  const { stream, length } = await exchange.body.open();
  const { method, path, query } = exchange.upstream;
  const target = query === '' && !exchange.uri.endsWith('?') ? path : `${path}?${query}`;
  return attempt({
    peer,
    secure: secure && !destination.disableTls,
    serverName: exchange.upstreamHost ?? peer.name,
    verify: exchange.tlsVerify ?? exchange.service?.tls_verify ?? false,
    method,
    target: requestTarget(target),
    headers: rawHeaderLines(upstreamHeaders(exchange, destination, peer, length)),
    body: stream,
    connectTimeout: destination.connectTimeout,
    readTimeout: destination.readTimeout,
    agents,
    signal,
  });
}

function hostHeader(exchange: HttpExchange, destination: Destination, peer: Peer): string {
  if (exchange.upstreamHost !== null) return exchange.upstreamHost;
  const name = peer.hostHeader ?? (peer.name.includes(':') ? `[${peer.name}]` : peer.name);
  if (peer.hostHeader !== null) return name;
  const usual = destination.scheme === 'https' ? 443 : 80;
  return peer.port === usual ? name : `${name}:${String(peer.port)}`;
}

function* upstreamHeaders(
  exchange: HttpExchange,
  destination: Destination,
  peer: Peer,
  length: number | null,
): Generator<[string, string]> {
  const { forwarded, headers, id } = exchange;
  const via = headers.get('via');
  const own = `${exchange.request.httpVersion} ${serverHeader}`;
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
  if (headers.get('te')?.includes('trailers') === true) yield ['TE', 'trailers'];
  if (length === null) yield ['Transfer-Encoding', 'chunked'];
  else if (length > 0 || headers.has('content-length') || /^(POST|PUT|PATCH)$/.test(exchange.upstream.method))
    yield ['Content-Length', String(length)];
  const listed = connectionOptions(headers.get('connection'));
  for (const [name, value, key] of headers) if (!dropped.has(key) && !listed.has(key)) yield [name, value];
}

const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** Takes the upstream's status and headers into the exchange: as they came, and merged into the answer. */
export function acceptAnswer(exchange: HttpExchange, answer: http.IncomingMessage): void {
  const headers = HeaderList.fromRaw(answer.rawHeaders, textOfLatin1);
  const listed = connectionOptions(headers.get('connection'));
  exchange.upstreamAnswer = { status: answer.statusCode ?? 502, headers, body: null };
  const merged = new HeaderList();
  const type = headers.get('content-type');
  if (type !== null) merged.append('Content-Type', type);
  merged.append('Connection', connectionOf(exchange.request, headers.has('content-length')));
  const preset = exchange.answer.headers;
  for (const [name, value, key] of preset)
    if (key !== 'content-type' && key !== 'connection') merged.append(name, value);
  for (const [name, value, key] of headers)
    if (key !== 'content-type' && !hopByHop.has(key) && !listed.has(key)) merged.append(name, value);
  exchange.answer = { status: answer.statusCode ?? 502, headers: merged, source: 'service', body: null };
}
