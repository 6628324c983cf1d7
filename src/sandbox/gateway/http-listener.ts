import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import tls, { TLSSocket } from 'node:tls';
import { maxGatewayConnections } from '../../base/connections.ts';
import { messageOf } from '../../base/errors.ts';
import type { ClientTimeouts } from '../../http/http1/index.ts';
import { ClientConnection, nginxTimeouts } from '../../http/http1/index.ts';
import type { HttpHandlerOptions } from './http-handler.ts';
import { handleHttp, handleRefused } from './http-handler.ts';
import type { ListenAddress } from './listen.ts';
import { listenError } from './listen.ts';
import type { TlsSide } from './tls.ts';
import { checkWithoutSni, sniCallback, tlsInfoOf } from './tls.ts';

export interface HttpListener {
  readonly port: number;
  /** Stops listening; connections get `graceMs` to finish what they are at. */
  close(graceMs: number): Promise<void>;
}

export interface HttpListenerOptions extends HttpHandlerOptions {
  readonly tls: TlsSide;
  readonly workers: number;
  /** Default: nginx's. */
  readonly timeouts?: ClientTimeouts;
}

const handshakeTimeoutMs = 60_000;

/** Listens for HTTP/1.1, in the clear or over TLS. @throws KongTsError PORT_IN_USE, SOCKET_UNUSABLE */
export async function listenHttp(
  address: ListenAddress,
  options: HttpListenerOptions,
): Promise<HttpListener> {
  const connections = new Map<Socket, ClientConnection>();
  const open = countedConnections(options);
  const accept = (socket: Socket): void => {
    const connection = open(socket);
    connections.set(socket, connection);
    socket.once('close', () => connections.delete(socket));
    connection.run().catch((error: unknown) => {
      options.node.log('error', `[proxy] a connection has failed: ${messageOf(error)}`);
      socket.destroy();
    });
  };
  const server = address.tls ? tlsServer(options.tls, accept) : plainServer(accept);
  server.maxConnections = maxGatewayConnections;
  const port = await listen(server, address);
  return { port, close: (graceMs) => close(server, connections, graceMs) };
}

/** Makes connections: each belongs to one simulated worker, and nginx's statistics count them. */
function countedConnections(options: HttpListenerOptions): (socket: Socket) => ClientConnection {
  const { statistics } = options.node;
  let next = 0;
  return (socket) => {
    const worker = next++ % options.workers;
    statistics.connections_accepted++;
    statistics.connections_handled++;
    statistics.connections_active++;
    socket.once('close', () => statistics.connections_active--);
    const info = socket instanceof TLSSocket ? tlsInfoOf(socket) : null;
    return new ClientConnection(
      socket,
      {
        serve: (request, response) => handleHttp(options, request, response, worker, info),
        refuse: (status, request, response) =>
          handleRefused(options, status, request, response, worker, info),
      },
      options.timeouts ?? nginxTimeouts,
    );
  };
}

function plainServer(accept: (socket: Socket) => void): net.Server {
  return net.createServer({ allowHalfOpen: true, noDelay: true }, accept);
}

function tlsServer(side: TlsSide, accept: (socket: Socket) => void): net.Server {
  const server: tls.Server = tls.createServer({
    allowHalfOpen: true,
    noDelay: true,
    handshakeTimeout: handshakeTimeoutMs,
    ALPNProtocols: ['http/1.1'],
    SNICallback: sniCallback(side, 'http', () => (server.address() as AddressInfo | null)?.port ?? 0),
  });
  server.setSecureContext(side.certificates.fallbackOptions);
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    void checkWithoutSni(side, 'http', socket).then((accepted) => {
      if (accepted) accept(socket);
      else socket.destroy();
    });
  });
  server.on('tlsClientError', () => undefined);
  return server;
}

function listen(server: net.Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen(address.port, address.host, () => resolve((server.address() as AddressInfo).port));
  });
}

async function close(
  server: net.Server,
  connections: ReadonlyMap<Socket, ClientConnection>,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of connections.values()) connection.close();
  const timer = setTimeout(() => {
    for (const socket of connections.keys()) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
