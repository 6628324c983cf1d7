import type { Parting } from './messages.ts';

/**
 * How long a worker may take to drain before it is killed, in milliseconds: `limit` for events, as long again for what
 * plugins have queued and for connections that are let fade, and some grace.
 */
export function drainTerm(limit: number, parting: Parting): number {
  return (parting === 'let fade' ? 3 : 2) * limit + 4000;
}

/** Kong starts a server that ends too early after a takeover once more, which would take the socket back. Milliseconds. */
export const lingerAfterTakeover = 3000;
