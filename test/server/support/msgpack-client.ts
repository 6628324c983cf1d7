import { connect, type Socket } from 'node:net';
import { MessageDecoder } from '../../../src/wire/msgpack/framing.ts';
import { encodeRequest } from '../../../src/wire/msgpack/kong-side.ts';
import { readMessage } from '../../../src/wire/msgpack/messages.ts';

interface Answer {
  error: unknown;
  result: unknown;
}

/** One connection of Kong's over MsgPack:1, one call in flight. */
export class PackedConnection {
  /** True once the server has closed it. */
  closed = false;
  readonly #socket: Socket;
  readonly #decoder = new MessageDecoder({});
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  #lastId = 0;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('error', () => undefined);
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#ended());
    this.#socket.on('data', (chunk) => {
      for (const value of this.#decoder.push(chunk)) {
        const message = readMessage(value);
        if (message.type !== 'response') continue;
        const waiting = this.#waiting;
        this.#waiting = null;
        waiting?.resolve(message);
      }
    });
  }

  call(method: string, args: unknown): Promise<Answer> {
    this.#socket.write(encodeRequest(++this.#lastId, method, [args]));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.closed) this.#ended();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #ended(): void {
    this.closed = true;
    this.#waiting?.reject(new Error(`closed during call ${this.#lastId}`));
    this.#waiting = null;
  }
}
