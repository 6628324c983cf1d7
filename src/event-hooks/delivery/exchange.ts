import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';

export interface HttpRequest {
  /** The same for each attempt of a delivery. */
  id?: string;
  method: string;
  path: string;
  /** Name, value, name, value... */
  headers: string[];
  body: string | Buffer | null;
}

/** A response, or the reason why there was none. */
export interface HttpAnswer {
  status: number | null;
  headers: Record<string, string>;
  /** The beginning of the body. */
  body: string;
  error: string | null;
  /** How often the request was written to a connection: more than once if a connection closed before the answer. */
  sent: number;
  /** `address:port` of the other end; null where there was no connection. */
  address: string | null;
}

export interface Connection {
  socket: Socket;
  /** `address:port` of the other end. A closed socket does not say it any more. */
  address: string | null;
  answered: number;
  lastAnswerAt: number;
}

/** One request and what has come back of it. */
export interface Exchange {
  request: HttpRequest;
  status: number | null;
  headers: Record<string, string>;
  chunks: Buffer[];
  bytes: number;
  /** The connection that it was written to, null while it was not. */
  on: Connection | null;
  controller: Dispatcher.DispatchController | null;
  /** How often it was written to a connection. */
  written: number;
  /** A closing connection left it unanswered. It goes again, once and on a connection of its own. */
  again: boolean;
  /** Goes up when the request is sent anew. Then results of an earlier sending are void. */
  sending: number;
  resolve: (answer: HttpAnswer) => void;
}

export const newExchange = (request: HttpRequest, resolve: (answer: HttpAnswer) => void): Exchange => ({
  request,
  status: null,
  headers: {},
  chunks: [],
  bytes: 0,
  on: null,
  controller: null,
  written: 0,
  again: false,
  sending: 0,
  resolve,
});

/** It is being written to a connection. From now on, results of an earlier connection do not count. */
export function beginOn(
  exchange: Exchange,
  connection: Connection | null,
  controller: Dispatcher.DispatchController,
): void {
  exchange.controller = controller;
  exchange.on = connection;
  exchange.written += 1;
  exchange.status = null;
  exchange.chunks = [];
  exchange.bytes = 0;
}

/** Counts what has arrived of the body, and keeps its beginning. */
export function collect(exchange: Exchange, chunk: Buffer, keepBytes: number): void {
  if (exchange.bytes < keepBytes)
    exchange.chunks.push(Buffer.from(chunk.subarray(0, keepBytes - exchange.bytes)));
  exchange.bytes += chunk.length;
}

/** The result for the sender. A compressed answer was not asked for and is not decompressed. */
export function answerOf(exchange: Exchange, error: string | null): HttpAnswer {
  const { status, headers, bytes, chunks, written: sent } = exchange;
  const address = exchange.on?.address ?? null;
  const encoding =
    bytes === 0 ? 'identity' : (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '')
    return { status, headers, body: Buffer.concat(chunks).toString('utf8'), error, sent, address };
  const name = encoding.slice(0, 40);
  return {
    status,
    headers,
    body: `[${name}, ${String(bytes)} bytes, not decompressed]`,
    error: error ?? `the answer is compressed (${name}), which was not asked for`,
    sent,
    address,
  };
}

/** The other end of a connection, as `address:port`. */
export function addressOf({ remoteAddress, remotePort }: Socket): string | null {
  if (remoteAddress === undefined || remotePort === undefined) return null;
  const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  return `${host}:${String(remotePort)}`;
}

/** Headers as undici gives them, each with one value. */
export function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
