import type { Socket } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import { SocketReader } from './socket-reader.ts';

/** Where a connection goes, and as whom. Connections are kept for the next request to the same place only. */
export interface ConnectionTarget {
  readonly ip: string;
  readonly port: number;
  /** Name for TLS; null: no TLS. */
  readonly serverName: string | null;
  readonly verify: boolean;
}

/** An open connection to an upstream. */
export interface UpstreamConnection {
  readonly socket: Socket;
  readonly reader: SocketReader;
  readonly target: ConnectionTarget;
  /** Requests that it has carried before. */
  readonly requests: number;
}

/** Kong's upstream_keepalive_pool_size, upstream_keepalive_idle_timeout and upstream_keepalive_max_requests. */
const poolSize = 512;
const idleTimeoutMs = 60_000;
const maxRequests = 10_000;

interface IdleConnection {
  readonly connection: UpstreamConnection;
  readonly timer: NodeJS.Timeout;
}

/** Connections to upstreams: new ones, and those that are kept between two requests. */
export class UpstreamConnections {
  readonly #idle = new Map<string, IdleConnection[]>();
  readonly #open = new Set<Socket>();

  /** A connection that is kept, the one used last first; null where there is none. */
  take(target: ConnectionTarget): UpstreamConnection | null {
    const kept = this.#idle.get(keyOf(target))?.pop();
    if (kept === undefined) return null;
    clearTimeout(kept.timer);
    kept.connection.reader.watch(null);
    return kept.connection;
  }

  /** Opens a connection. @throws the socket's error; `timeout` where it took longer than that, in milliseconds */
  connect(target: ConnectionTarget, timeoutMs: number, signal: AbortSignal): Promise<UpstreamConnection> {
    return new Promise((resolve, reject) => {
      const socket = dial(target);
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      const fail = (error: Error): void => {
        socket.destroy();
        settle();
        reject(error);
      };
      const timer = setTimeout(() => fail(new ConnectTimedOut('connect timeout')), timeoutMs);
      const abort = (): void => fail(new Error('the client has gone'));
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        socket.off('error', fail);
      };
      signal.addEventListener('abort', abort, { once: true });
      socket.once('error', fail);
      // Errors after the connection is there are the reader's.
      socket.on('error', () => undefined);
      socket.once(target.serverName === null ? 'connect' : 'secureConnect', () => {
        settle();
        socket.setNoDelay(true);
        resolve({ socket, reader: new SocketReader(socket), target, requests: 0 });
      });
      if (signal.aborted) abort();
    });
  }

  /** Keeps a connection whose answer was read to its end. */
  keep(connection: UpstreamConnection): void {
    const { socket, reader, target } = connection;
    const requests = connection.requests + 1;
    if (!reader.isQuiet || requests >= maxRequests) {
      socket.destroy();
      return;
    }
    const key = keyOf(target);
    const list = this.#idle.get(key) ?? [];
    this.#idle.set(key, list);
    const drop = (): void => this.#drop(key, kept);
    const kept: IdleConnection = {
      connection: { ...connection, requests },
      timer: setTimeout(drop, idleTimeoutMs).unref(),
    };
    list.push(kept);
    reader.watch(drop);
    if (list.length > poolSize && list[0] !== undefined) this.#drop(key, list[0]);
  }

  #drop(key: string, { connection, timer }: IdleConnection): void {
    clearTimeout(timer);
    connection.socket.destroy();
    const left = (this.#idle.get(key) ?? []).filter((each) => each.connection !== connection);
    if (left.length === 0) this.#idle.delete(key);
    else this.#idle.set(key, left);
  }

  /** Ends every connection. */
  close(): void {
    for (const list of this.#idle.values()) for (const { timer } of list) clearTimeout(timer);
    this.#idle.clear();
    for (const socket of this.#open) socket.destroy();
  }
}

/** The connection was not there in time. */
export class ConnectTimedOut extends Error {
  override readonly name = 'ConnectTimedOut';
}

function dial({ ip, port, serverName, verify }: ConnectionTarget): Socket {
  if (serverName === null) return net.connect({ host: ip, port, allowHalfOpen: true });
  return tls.connect({
    host: ip,
    port,
    rejectUnauthorized: verify,
    // An address is not a server name.
    ...(net.isIP(serverName) === 0 && serverName !== '' ? { servername: serverName } : {}),
    ALPNProtocols: ['http/1.1'],
  });
}

function keyOf({ ip, port, serverName, verify }: ConnectionTarget): string {
  return `${ip}|${String(port)}|${serverName ?? ''}|${serverName === null ? '' : String(verify)}`;
}
