import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { MessageDecoder } from '../../../src/wire/msgpack/framing.ts';
import { encodeRequest } from '../../../src/wire/msgpack/kong-side.ts';
import { readMessage } from '../../../src/wire/msgpack/messages.ts';

interface Answer {
  error: unknown;
  result: unknown;
}

/**
 * One connection of Kong's over MsgPack:1, one call in flight. As in Kong, one on which more has come than the answer is not
 * used again: the next call opens another.
 */
export class PackedConnection {
  /** True once the server has closed it, or Kong has let go of it. */
  closed = false;
  /** How many connections it has been so far. */
  opened = 0;
  readonly #path: string;
  #socket: Socket;
  #decoder = new MessageDecoder({});
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  #lastId = 0;

  constructor(path: string) {
    this.#path = path;
    this.#socket = this.#open();
  }

  #open(): Socket {
    const socket = connect(this.#path);
    this.closed = false;
    this.opened++;
    this.#decoder = new MessageDecoder({});
    const ended = (): void => {
      if (socket === this.#socket) this.#ended();
    };
    socket.on('error', () => undefined);
    socket.on('end', ended);
    socket.on('close', ended);
    socket.on('data', (chunk) => {
      for (const value of this.#decoder.push(chunk)) {
        const message = readMessage(value);
        if (message.type === 'notification' && message.name === 'kong-ts.farewell') this.#letGo(socket);
        if (message.type !== 'response') continue;
        const waiting = this.#waiting;
        this.#waiting = null;
        waiting?.resolve(message);
      }
    });
    return socket;
  }

  #letGo(socket: Socket): void {
    if (socket === this.#socket) this.closed = true;
    socket.destroy();
  }

  /** @param again whether a connection that is closed is opened again, as Kong's next call does */
  call(method: string, args: unknown, again = false): Promise<Answer> {
    if (this.closed && again) this.#socket = this.#open();
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
