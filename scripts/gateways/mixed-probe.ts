import { rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MixedConnection } from './mixed-connection.ts';
import type { Wire } from './probe-plugin.ts';

/** A command of Kong, as `protobuf handleEvent access` or `msgpack plugin.HandleEvent access`, and its connection. */
export interface Command {
  readonly connection: number;
  readonly says: string;
}

/**
 * A plugin server with two plugins on one socket, one of each protocol. In access each reads the method and sets a header
 * of its own name.
 */
export class MixedProbe {
  readonly socket: string;
  readonly wire: Wire[] = [];
  readonly commands: Command[] = [];
  /**
   * How long StartInstance and CloseInstance of the MsgPack:1 plugin take, in milliseconds. Kong has an id between the two, and takes
   * it away where a request of the next change comes before the second one is answered: the event that waits for it goes without one.
   */
  delayMs = 0;
  #lastId = 200_000;
  #connections = 0;
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;

  constructor(socket: string) {
    this.socket = socket;
    this.#server = net.createServer((connection) => this.#serve(connection));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.socket, resolve);
    });
    await chmod(this.socket, 0o666);
    return this;
  }

  /** Forgets what was seen. */
  forget(): void {
    this.wire.length = 0;
    this.commands.length = 0;
  }

  nextInstance(): number {
    return ++this.#lastId;
  }

  async takeTime(): Promise<void> {
    if (this.delayMs > 0) await sleep(this.delayMs);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.socket, { force: true });
  }

  #serve(socket: net.Socket): void {
    const number = ++this.#connections;
    this.#sockets.add(socket);
    this.wire.push(['open', number]);
    const connection = new MixedConnection(this, {
      write: (bytes) => {
        this.wire.push(['>', number, bytes.toString('hex')]);
        socket.write(bytes);
      },
      heard: (says) => this.commands.push({ connection: number, says }),
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.wire.push(['close', number]);
    });
    socket.on('data', (chunk: Buffer) => {
      this.wire.push(['<', number, chunk.toString('hex')]);
      connection.read(chunk);
    });
  }
}
