import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** Who speaks on a connection at present. */
export interface Speaker {
  read(chunk: Buffer): void;
  lost(error: Error): void;
}

export class Connection {
  readonly socket: Socket;
  speaker: Speaker | null = null;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (chunk: Buffer) => {
      if (this.speaker === null) throw new Error('the server sent something that nobody has asked for');
      this.speaker.read(chunk);
    });
    this.socket.on('error', (error) => this.#lost(error));
    this.socket.on('close', () => this.#lost(new Error('closed')));
  }

  #lost(error: Error): void {
    const { speaker } = this;
    this.speaker = null;
    speaker?.lost(error);
  }
}

/**
 * The connections of one nginx worker to one socket path. As Kong's, they are everybody's, of both protocols, and the one
 * that was given back last is taken first.
 */
export class Pool {
  readonly #path: string;
  readonly #connections: Connection[] = [];
  readonly #idle: Connection[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  get free(): number {
    return this.#idle.length;
  }

  async open(count: number): Promise<void> {
    const opened = Array.from({ length: count }, () => new Connection(this.#path));
    await Promise.all(
      opened.map(
        ({ socket }) =>
          new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
      ),
    );
    this.#connections.push(...opened);
    this.#idle.push(...opened);
  }

  take(speaker: Speaker): Connection {
    const connection = this.#idle.pop();
    if (connection === undefined) throw new Error('no free connection');
    connection.speaker = speaker;
    return connection;
  }

  give(connection: Connection): void {
    connection.speaker = null;
    this.#idle.push(connection);
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }
}
