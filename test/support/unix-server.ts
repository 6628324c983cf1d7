import type { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface UnixServer {
  readonly path: string;
  /** Opens a connection to the server. */
  open(): Promise<Client>;
  close(): Promise<void>;
}

/** Serves a unix socket in a folder of its own. */
export async function listenUnix(onConnection: (socket: Socket) => void): Promise<UnixServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-'));
  const path = join(folder, 's.sock');
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const clients: Client[] = [];
  return {
    path,
    async open() {
      const socket = connect(path);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
      const client = new Client(socket);
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One end of a connection that waits for what it expects. */
export class Client {
  /** Chunks as they came. */
  readonly chunks: Buffer[] = [];
  ended = false;
  closed = false;
  readonly #socket: Socket;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.#signal();
    });
    socket.once('end', () => {
      this.ended = true;
      this.#signal();
    });
    socket.once('close', () => {
      this.closed = true;
      this.ended = true;
      this.#signal();
    });
    socket.on('error', () => undefined);
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Stops reading what the server sends. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Resolves when `condition` holds; it is asked after everything that comes. */
  async until(condition: () => boolean, what: string, milliseconds = 20_000): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}

/** Lets everything that is ready happen: a few turns of the event loop. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
