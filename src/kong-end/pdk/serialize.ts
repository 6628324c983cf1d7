import { answerTable } from '../request/answer-table.ts';
import type { Exchange } from '../request/exchange.ts';
import { HttpExchange } from '../request/http-exchange.ts';
import { upstreamUri } from '../request/upstream-request.ts';
import { parseQuery } from '../request/uri.ts';
import { withoutNulls } from '../plugin-server/instance-config.ts';
import { shownQuery } from './query.ts';
import { editRecord } from './serialize-value.ts';

type Table = Record<string, unknown>;

/**
 * The record of kong.log.serialize as JSON, in the shape of Kong 3.9.3: headers as they were at the end, credentials in
 * them redacted, latencies in milliseconds, sizes in bytes.
 */
export function serialize(exchange: Exchange): string {
  const record = exchange instanceof HttpExchange ? httpRecord(exchange) : streamRecord(exchange);
  for (const value of exchange.serializeValues) editRecord(record, value);
  return JSON.stringify(withoutNulls(record));
}

function common(exchange: Exchange): Table {
  const { credential } = exchange;
  return {
    tries: exchange.destination === null ? null : exchange.tries,
    authenticated_entity:
      credential === null
        ? null
        : {
            id: credential.id,
            consumer_id: 'consumer_id' in credential ? credential.consumer_id : null,
          },
    route: exchange.route,
    service: exchange.service,
    consumer: exchange.consumer === null ? null : { ...exchange.consumer, ws_id: null },
    client_ip: exchange.realIp,
    started_at: Math.floor(exchange.startedAt),
    workspace: exchange.workspace?.id ?? null,
    workspace_name: exchange.workspace?.name ?? null,
  };
}

function tlsOf(exchange: Exchange): Table | null {
  const { tls } = exchange;
  if (tls === null) return null;
  return { version: tls.version, cipher: tls.cipher, client_verify: exchange.clientVerify ?? 'NONE' };
}

function httpRecord(exchange: HttpExchange): Table {
  const headers = exchange.headers.toTable();
  for (const name of ['authorization', 'proxy-authorization'])
    if (name in headers) headers[name] = 'REDACTED';
  const { latencies, answer } = exchange;
  return {
    request: {
      id: exchange.id,
      uri: exchange.uri,
      url: `${exchange.scheme}://${exchange.host}:${String(exchange.port)}${exchange.uri}`,
      querystring: parseQuery(shownQuery(exchange)),
      method: exchange.upstream.method,
      headers,
      size: exchange.requestLength,
      tls: tlsOf(exchange),
    },
    upstream_uri: exchange.destination === null ? '' : upstreamUri(exchange),
    upstream_status: upstreamStatus(exchange),
    response: {
      status: answer.status,
      headers: answerTable(exchange, true),
      size: exchange.bytesSent,
    },
    latencies: {
      kong: latencies.kong ?? 0,
      proxy: latencies.waiting ?? -1,
      request: latencies.request,
      receive: latencies.receive,
    },
    source: answer.source === 'service' ? 'upstream' : 'kong',
    ...common(exchange),
  };
}

/** A number where Kong read the whole answer, else nginx's text: one status per try. */
function upstreamStatus(exchange: HttpExchange): string | number {
  const { tries, tryStatuses, upstreamAnswer } = exchange;
  if (exchange.buffered) return upstreamAnswer?.status ?? '';
  const statuses = tries.map((_each, at) => String(tryStatuses[at] ?? upstreamAnswer?.status ?? '-'));
  return statuses.join(', ');
}

function streamRecord(exchange: Exchange): Table {
  const { traffic, latencies } = exchange.session;
  return {
    session: {
      tls: tlsOf(exchange),
      received: traffic.received,
      sent: traffic.sent,
      status: exchange.session.status,
      server_port: exchange.port,
    },
    upstream: { received: traffic.upstreamReceived, sent: traffic.upstreamSent },
    latencies: { kong: latencies.kong, session: latencies.session },
    ...common(exchange),
  };
}
