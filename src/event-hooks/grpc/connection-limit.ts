import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:net';

/** The limit of whatever begins to listen within a call of `withConnectionLimit`. */
const limits = new AsyncLocalStorage<number>();
let subscribed = false;

/** Node tells of each server before it listens, also of servers that libraries make. */
function watchListeners(): void {
  if (subscribed) return;
  subscribed = true;
  subscribe('tracing:net.server.listen:asyncStart', (message) => {
    const limit = limits.getStore();
    if (limit !== undefined) (message as { server: Server }).server.maxConnections = limit;
  });
}

/**
 * Bounds the connections of servers that begin to listen in `listen`, or in what follows from it. grpc-js makes its
 * servers itself, has no limit of connections, and shows nobody its servers.
 */
export function withConnectionLimit<T>(limit: number, listen: () => T): T {
  watchListeners();
  return limits.run(limit, listen);
}
