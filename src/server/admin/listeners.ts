import { once } from 'node:events';
import type { Server } from 'node:http';
import { maxConnections } from '../../base/connections.ts';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { ServerLog } from '../log/types.ts';
import type { HostPort } from '../options.ts';
import type { ClaimedSocket } from '../../unix/index.ts';
import { claimSocket } from '../../unix/index.ts';
import { isLoopback, bounded, httpLimits } from '../../http/index.ts';
import type { AdminSource } from './handler.ts';
import { adminHandler } from './handler.ts';

/** An open admin listener. */
export interface AdminListener {
  /** `host:port` or the path of the control socket. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * The TCP listener for /metrics, /health and /status. The port is shared with a server that is being replaced by this one
 * (SO_REUSEPORT), so that a takeover finds it free.
 * @throws KongTsError PORT_IN_USE
 */
export async function listenMetrics(
  where: HostPort,
  source: AdminSource,
  log: ServerLog,
  allowHosts: readonly string[] = [],
): Promise<AdminListener> {
  const { createServer } = await import('node:http');
  const callers = { loopback: isLoopback(where.host), names: allowHosts };
  const server = bounded(createServer(httpLimits, adminHandler(source, { control: false, callers })));
  await listen(server, where);
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : where.port;
  const address = `${where.host.includes(':') ? `[${where.host}]` : where.host}:${port}`;
  log.info('listening for /metrics, /health and /status', { address });
  return {
    address,
    async close() {
      server.close();
      letGo(server);
    },
  };
}

/**
 * Looks whether the port can be had, so that a server with a wrong --metrics fails before it takes a socket over.
 * @throws KongTsError PORT_IN_USE
 */
export async function checkMetricsPort(where: HostPort): Promise<void> {
  const { createServer } = await import('node:http');
  const server = createServer();
  await listen(server, where);
  await new Promise((resolve) => server.close(resolve));
}

/**
 * A server that goes on for a while must not keep its clients: with their next request, they are to find its successor.
 */
function letGo(server: Server): void {
  server.keepAliveTimeout = 1;
  server.closeIdleConnections();
}

async function listen(server: Server, where: HostPort): Promise<void> {
  server.listen({ host: where.host, port: where.port, reusePort: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new KongTsError(
      'PORT_IN_USE',
      `The address ${where.host}:${where.port} of --admin cannot be listened on: ${messageOf(error)}.`,
      { cause: error, fix: 'Choose another one with --admin HOST:PORT.' },
    );
  }
}

/** The control socket beside the plugin socket; only the server's own user can open it. */
export async function listenControl(path: string, source: AdminSource): Promise<AdminListener> {
  const { createServer } = await import('node:http');
  const http = bounded(createServer(httpLimits, adminHandler(source, { control: true, callers: null })));
  const socket: ClaimedSocket = await claimSocket(path, {
    mode: 0o600,
    owner: null,
    backlog: 16,
    paused: false,
    maxConnections,
    onConnection: (connection) => {
      http.emit('connection', connection);
    },
  });
  return {
    address: path,
    async close() {
      await socket.release();
      letGo(http);
    },
  };
}
