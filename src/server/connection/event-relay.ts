import { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import { MessageDecoder, readMessage, decodeValue, encode } from '../../wire/msgpack/index.ts';
import { predecessorPath } from '../../unix/index.ts';

/** Says that another server sends what follows on a connection: this server answers it, or nobody does. */
export const relaysNotice = 'kong-ts.relays';

const notice = Buffer.from(encode([2, relaysNotice, null]));

/** Longer than any handler may run, in milliseconds. */
const limitMs = 60_000;

/**
 * Passes a step of a MsgPack:1 event that this server does not know to another server of the same socket. While one
 * server takes over from the other, Kong has connections to both, and each step of an event may come on any of them.
 * The relay passes on the bytes of Kong's own request and of the answer.
 */
export class EventRelay {
  readonly #paths: readonly string[];
  readonly #maxMessageBytes: number;

  /** @param sockets the paths that Kong connects to */
  constructor(sockets: readonly string[], maxMessageBytes: number) {
    this.#paths = [...new Set(sockets)].flatMap((path) => [predecessorPath(path) ?? path, path]);
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** The answer of the server that runs the event; null when none does. */
  async ask(request: Buffer): Promise<Buffer | null> {
    for (const path of this.#paths) {
      const answer = await this.#askAt(path, request);
      if (answer !== null) return answer;
    }
    return null;
  }

  #askAt(path: string, request: Buffer): Promise<Buffer | null> {
    return new Promise((resolve) => {
      const socket = connect(path);
      const decoder = new MessageDecoder({ maxMessageBytes: this.#maxMessageBytes });
      const end = (answer: Buffer | null) => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(limitMs, () => end(null));
      socket.on('error', () => end(null));
      socket.on('close', () => end(null));
      socket.on('data', (chunk) => {
        try {
          const at = decoder.take(chunk, 0);
          const { whole } = decoder;
          if (whole === null && at >= chunk.length) return;
          end(whole !== null && isResult(whole) ? Buffer.from(whole) : null);
        } catch {
          end(null);
        }
      });
      socket.write(Buffer.concat([notice, request]));
    });
  }
}

function isResult(bytes: Buffer): boolean {
  const message = readMessage(decodeValue(bytes));
  return message.type === 'response' && message.error === null;
}
