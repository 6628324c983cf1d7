import type { Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { maxConnections } from '../base/connections.ts';

export type HttpLimits = Readonly<
  Record<
    | keyof Pick<
        ServerOptions,
        'headersTimeout' | 'requestTimeout' | 'keepAliveTimeout' | 'connectionsCheckingInterval'
      >
    | 'answerTimeoutMs',
    number
  >
>;

/**
 * Limits of every HTTP listener, in milliseconds: for a head, for a whole request with its body, between two requests, and
 * for a client that takes nothing of an answer that waits for it. Node's own limit for heads ends with
 * `requestTimeout: 0`, so both are always said.
 */
export const httpLimits: HttpLimits = {
  headersTimeout: 15_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
  answerTimeoutMs: 60_000,
};

/**
 * Bounds the connections of a listener that was made with `limits`, and how long answers wait for their readers. Where
 * a connection is refused, those that wait between two requests end, as in nginx. So idle connections lock nobody out.
 */
export function bounded<Listener extends Server>(
  server: Listener,
  limits: HttpLimits = httpLimits,
): Listener {
  server.maxConnections = maxConnections;
  server.on('drop', () => {
    server.closeIdleConnections();
  });
  // Node tells of a connection on which nothing moves, in neither direction: also of one between two requests.
  server.timeout = limits.answerTimeoutMs;
  const answering = new WeakMap<Socket, number>();
  server.prependListener('request', ({ socket }, response) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1);
    response.once('close', () => answering.set(socket, (answering.get(socket) ?? 1) - 1));
  });
  server.on('timeout', (socket: Socket) => {
    const waitsForAnswer = (answering.get(socket) ?? 0) > 0 && socket.writableLength === 0;
    if (!waitsForAnswer) socket.destroy();
  });
  return server;
}

/** Ends a connection whose client takes nothing of what waits for it. */
export function endUnread(socket: Socket, timeoutMs: number): void {
  socket.setTimeout(timeoutMs);
  socket.on('timeout', () => {
    if (socket.writableLength > 0) socket.destroy();
  });
}
