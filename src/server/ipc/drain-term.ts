import type { Parting } from './messages.ts';

/** How long Kong keeps a connection that it does not use (`lua_socket_keepalive_timeout`), and some. Milliseconds. */
export const kongKeepsIdleMs = 61_000;

/** How long a worker waits for events and for Kong to let go of its connections, in milliseconds. */
export function partingTerm(limit: number, parting: Parting): number {
  return parting === 'let fade' ? kongKeepsIdleMs + limit : limit;
}

/**
 * How long a worker may take to drain before it is killed, in milliseconds: the time for its connections, `limit` for what
 * plugins have queued, and some grace.
 */
export function drainTerm(limit: number, parting: Parting): number {
  return partingTerm(limit, parting) + limit + 4000;
}

/** Kong starts a server that ends too early after a takeover once more, which would take the socket back. Milliseconds. */
export const lingerAfterTakeoverMs = 3000;
