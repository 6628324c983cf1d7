import type { Server, ServerOptions } from 'node:http';

/** The most connections that one listener keeps. */
const maxConnections = 1024;

export type HttpLimits = Readonly<
  Record<
    keyof Pick<
      ServerOptions,
      'headersTimeout' | 'requestTimeout' | 'keepAliveTimeout' | 'connectionsCheckingInterval'
    >,
    number
  >
>;

/**
 * Limits of every HTTP listener, in milliseconds: for a head, for a whole request with its body, between two requests.
 * Node's own limit for heads ends with `requestTimeout: 0`, so both are always said.
 */
export const httpLimits: HttpLimits = {
  headersTimeout: 15_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
};

/** Bounds the connections of a listener that was made with `httpLimits`. */
export function bounded<Listener extends Pick<Server, 'maxConnections'>>(server: Listener): Listener {
  server.maxConnections = maxConnections;
  return server;
}
