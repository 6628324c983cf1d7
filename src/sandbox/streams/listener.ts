import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import tls, { TLSSocket } from 'node:tls';
import { maxGatewayConnections } from '../../base/connections.ts';
import { messageOf } from '../../base/errors.ts';
import { Exchange, assignWorkspace, destinationOf, now, plainIp } from '../../kong-end/index.ts';
import type { HttpListener } from '../gateway/http-listener.ts';
import type { ListenAddress } from '../gateway/listen.ts';
import { listenError } from '../gateway/listen.ts';
import { runCollecting, runLog } from '../gateway/phases.ts';
import type { TlsSide } from '../gateway/tls.ts';
import { checkWithoutSni, sniCallback, tlsInfoOf } from '../gateway/tls.ts';
import { StreamRouter } from './stream-router.ts';
import { connectUpstream, relay } from './session.ts';

export interface StreamOptions extends TlsSide {
  readonly workers: number;
  readonly pending: Set<Promise<unknown>>;
}

/** Listens for TCP, or for TLS that ends here (`ssl`). @throws KongTsError PORT_IN_USE, SOCKET_UNUSABLE */
export async function listenStream(address: ListenAddress, options: StreamOptions): Promise<HttpListener> {
  const sockets = new Set<Socket>();
  let next = 0;
  let port = address.port;
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    void serve(options, socket, next++ % options.workers);
  };
  const server = address.tls
    ? tls.createServer(
        {
          ...options.certificates.fallbackOptions,
          allowHalfOpen: true,
          SNICallback: sniCallback(options, 'stream', () => port),
        },
        accept,
      )
    : net.createServer({ allowHalfOpen: true }, accept);
  server.maxConnections = maxGatewayConnections;
  server.on('tlsClientError', () => undefined);
  port = await new Promise<number>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen(address.port, address.host, () => resolve((server.address() as AddressInfo).port));
  });
  return {
    port,
    close: async (graceMs) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** One connection through preread, the service and log. Never rejects. */
async function serve(options: StreamOptions, socket: Socket, worker: number): Promise<void> {
  const { node, config } = options;
  const info = socket instanceof TLSSocket ? tlsInfoOf(socket) : null;
  const from = { ip: plainIp(socket.remoteAddress), port: socket.remotePort ?? 0 };
  const exchange = new Exchange(node, 'stream', from, socket.localPort ?? 0, worker, info);
  if (socket instanceof TLSSocket && !(await checkWithoutSni(options, 'stream', socket))) {
    socket.destroy();
    return;
  }
  const { table, balancer } = config;
  try {
    await session(options, exchange, socket, balancer);
  } catch (error) {
    node.log('error', `[stream] ${messageOf(error)}`);
    exchange.session.status = 500;
    socket.destroy();
  }
  exchange.session.latencies.session = Math.round(now() - exchange.startedAt);
  const log = runLog(exchange, table);
  options.pending.add(log);
  void log.finally(() => options.pending.delete(log)).catch(() => undefined);
}

async function session(
  options: StreamOptions,
  exchange: Exchange,
  socket: Socket,
  balancer: StreamOptions['config']['balancer'],
): Promise<void> {
  const { config } = options;
  const { client, port, tls } = exchange;
  const server = { ip: plainIp(socket.localAddress), port };
  const match = new StreamRouter(config.snapshot).match({ client, server, sni: tls?.sni ?? null });
  // Over TLS that ends here, Kong wants a route of that protocol once it has been met.
  if (match === null || (tls !== null && !match.route.protocols.includes('tls'))) {
    const reason =
      match === null ? 'no Route found with those values' : 'unexpected protocols in matched Route';
    exchange.node.log('error', `[stream] ${reason} (port ${String(port)})`);
    exchange.session.status = 500;
    socket.destroy();
    return;
  }
  exchange.route = match.route;
  exchange.service = match.service;
  assignWorkspace(exchange, config.snapshot);
  exchange.destination = destinationOf(match.service);
  await runCollecting('preread', exchange, config.table);
  exchange.session.latencies.kong = Math.round(now() - exchange.startedAt);
  if (exchange.aborted !== null) {
    refuse(exchange, socket, exchange.aborted);
    return;
  }
  const upstream = await connectUpstream(exchange, balancer);
  if (upstream === null) {
    exchange.session.status = 502;
    socket.destroy();
    return;
  }
  await relay(exchange, socket, upstream, exchange.destination.readTimeoutMs);
}

function refuse(exchange: Exchange, socket: Socket, answer: { status: number; body: Buffer | null }): void {
  exchange.session.status = answer.status;
  if (answer.status < 400 && answer.body !== null) {
    exchange.session.traffic.sent = answer.body.length;
    socket.end(answer.body, () => socket.destroySoon());
  } else socket.resetAndDestroy();
}
