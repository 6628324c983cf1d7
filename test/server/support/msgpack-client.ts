import { connect, type Socket } from 'node:net';
import { MessageDecoder } from '../../../src/wire/msgpack/decoder.ts';
import { encodeRequest, readMessage } from '../../../src/wire/msgpack/rpc.ts';

/** One connection of Kong's over MsgPack:1, one call in flight. */
export class PackedConnection {
  readonly #socket: Socket;
  readonly #decoder = new MessageDecoder({});
  #waiting: ((answer: { error: unknown; result: unknown }) => void) | null = null;
  #lastId = 0;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk) => {
      for (const value of this.#decoder.push(chunk)) {
        const message = readMessage(value);
        if (message.type === 'response') this.#waiting?.(message);
      }
    });
  }

  call(method: string, args: unknown): Promise<{ error: unknown; result: unknown }> {
    this.#socket.write(encodeRequest(++this.#lastId, method, [args]));
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
