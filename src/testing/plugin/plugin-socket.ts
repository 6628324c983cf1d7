import { once } from 'node:events';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { ConnectionHandle, ConnectionHost } from '../../server/embedded/index.ts';
import { serveConnection } from '../../server/embedded/index.ts';
import type { TrafficCounter } from '../kong/traffic.ts';
import { onWrite } from '../kong/wire-tap.ts';

/** A unix socket in this process on which the server's own protocol drivers answer. */
export class PluginSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #connections = new Set<ConnectionHandle>();

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  static async open(path: string, host: ConnectionHost, counter: TrafficCounter): Promise<PluginSocket> {
    const server = createServer({ allowHalfOpen: true });
    const opened = new PluginSocket(path, server);
    server.on('connection', (socket) => {
      // In front of the driver's own listener: what it writes answers what came.
      socket.on('data', () => counter.heard());
      onWrite(socket, () => counter.spoke());
      const connection = serveConnection(socket, host);
      opened.#connections.add(connection);
      void connection.closed.then(() => opened.#connections.delete(connection));
    });
    server.listen(path);
    await once(server, 'listening');
    server.unref();
    return opened;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}
