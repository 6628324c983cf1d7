import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import type { PlacedSocket } from './place.ts';
import { placeSocket } from './place.ts';

/** A connection of Kong's. */
export type Connection = Socket;

export interface ClaimOptions {
  /** Permission bits of the socket file; Kong's user has to be able to write to it. */
  mode: number;
  /** Numeric owner, null to leave it to the process. */
  owner: { uid: number; gid: number } | null;
  /** Connections that may wait to be accepted. */
  backlog: number;
  /** Leave connections unread until somebody reads: what is to be handed to another process has to be untouched. */
  paused: boolean;
  /** Connections at a time that this process has, more are closed at once; null: as many as it has descriptors for. */
  maxConnections: number | null;
  onConnection: (socket: Connection) => void;
}

/** A socket path that this process listens on. */
export interface ClaimedSocket extends Omit<PlacedSocket, 'remove'> {
  /** Node's listening handle, of which another process may get a copy. */
  readonly handle: unknown;
  /** Accepts no more connections: another process does, on its copy. The file stays. */
  pass(): void;
  /**
   * Stops listening: removes the file if it is still ours, accepts what already waits in the backlog, closes.
   * Connections that were accepted stay open.
   */
  release(): Promise<void>;
}

/**
 * Listens on a unix socket path, taking it over atomically: at every moment somebody accepts connections on it.
 *
 * @throws KongTsError SOCKET_IN_USE, SOCKET_UNUSABLE, see placeSocket
 */
export async function claimSocket(path: string, options: ClaimOptions): Promise<ClaimedSocket> {
  const server = createServer({ pauseOnConnect: options.paused, allowHalfOpen: true }, options.onConnection);
  if (options.maxConnections !== null) server.maxConnections = options.maxConnections;
  let placed: PlacedSocket;
  try {
    placed = await placeSocket(path, { ...options, live: 'take over' }, async (temporary) => {
      server.listen({ path: temporary, backlog: options.backlog });
      await once(server, 'listening');
      server.on('error', () => undefined);
    });
  } catch (error) {
    server.close();
    throw error;
  }
  let released = false;
  const { found, file, check } = placed;
  return {
    path,
    found,
    file,
    check,
    handle: (server as unknown as { _handle?: unknown })._handle ?? null,
    pass() {
      server.close();
    },
    async release() {
      if (released) return;
      released = true;
      placed.remove();
      // One poll of the event loop accepts everything that is in the backlog; nobody new can find the path. The
      // immediate is there because a timer alone may come before the poll.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setImmediate(resolve));
      server.close();
    },
  };
}
