import { answerTable } from '../gateway/answer-table.ts';
import type { Exchange, SerializeValue } from '../gateway/exchange.ts';
import { HttpExchange } from '../gateway/http-exchange.ts';
import { upstreamUri } from '../gateway/upstream-request.ts';
import { parseQuery } from '../gateway/uri.ts';
import { withoutNulls } from '../plugin-server/instance-config.ts';
import { reject } from './checks.ts';
import { shownQuery } from './query.ts';

type Table = Record<string, unknown>;

/**
 * The record of kong.log.serialize as JSON, in the shape of Kong 3.9.3: headers as they were at the end, credentials in
 * them redacted, latencies in milliseconds, sizes in bytes.
 */
export function serialize(exchange: Exchange): string {
  const record = exchange instanceof HttpExchange ? httpRecord(exchange) : streamRecord(exchange);
  for (const value of exchange.serializeValues) edit(record, value);
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

/** Puts one value of kong.log.set_serialize_value in its place; a dot nests, `\.` does not. */
function edit(record: Table, { key, value, mode }: SerializeValue): void {
  const names = key.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
  let node = record;
  for (const name of names.slice(0, -1)) {
    const next = Object.hasOwn(node, name) ? node[name] : null;
    if (next === null || next === undefined) {
      if (mode === 'replace') return;
      node = setOwn(node, name, Object.create(null)) as Table;
    } else if (typeof next !== 'object') {
      reject(`The key '${key}' could not be used as a serialize value. Subkey '${name}' is not a table.`);
    } else {
      node = setOwn(node, name, { ...next }) as Table;
    }
  }
  const last = names.at(-1) as string;
  const exists = Object.hasOwn(node, last) && node[last] !== null && node[last] !== undefined;
  if (mode === 'set' || (mode === 'add' && !exists) || (mode === 'replace' && exists))
    setOwn(node, last, value);
}

function setOwn(table: Table, name: string, value: unknown): unknown {
  Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
  return value;
}
