import { rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import net from 'node:net';
import type { Protocol } from '../../src/pdk/index.ts';
import { serveMsgpack } from './probe-msgpack.ts';
import { ProbePlugin } from './probe-plugin.ts';
import { serveProtobuf } from './probe-protobuf.ts';

/** A plugin server with one plugin, which makes the calls of a script. */
export class Probe extends ProbePlugin {
  readonly protocol: Protocol;
  readonly socket: string;
  #connections = 0;
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;

  constructor(name: string, protocol: Protocol, socket: string) {
    super(name);
    this.protocol = protocol;
    this.socket = socket;
    this.#server = net.createServer((connection) => this.#serve(connection));
  }

  /** Listens; whoever runs Kong in its container may connect. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.socket, resolve);
    });
    await chmod(this.socket, 0o666);
    return this;
  }

  /** Instances of a configuration that is gone would be asked for again. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.socket, { force: true });
  }

  #serve(connection: net.Socket): void {
    const number = ++this.#connections;
    this.#sockets.add(connection);
    this.wire.push(['open', number]);
    connection.on('error', () => undefined);
    connection.on('close', () => {
      this.#sockets.delete(connection);
      this.wire.push(['close', number]);
    });
    connection.prependListener('data', (chunk: Buffer) => {
      this.wire.push(['<', number, chunk.toString('hex')]);
    });
    const write = (bytes: Buffer): void => {
      this.wire.push(['>', number, bytes.toString('hex')]);
      connection.write(bytes);
    };
    if (this.protocol === 'protobuf') serveProtobuf(this, connection, write);
    else serveMsgpack(this, connection, write);
  }
}
