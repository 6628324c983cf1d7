import type { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import { MessageDecoder, encode, readMessage, decodeValue } from '../../wire/msgpack/index.ts';

/** What one server asks another on the socket itself: whether it goes on until somebody has taken that over. */
export const servesMethod = 'kong-ts.serves';

/** A server that does not say a word for so long is of no use to Kong either. Milliseconds. */
const patienceMs = 1000;

/**
 * Whether whoever accepts connections at a path goes on to serve: not one that is about to end, and not one that a plugin
 * blocks. A server that answers something else serves.
 */
export function asksWhetherServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const decoder = new MessageDecoder({ maxMessageBytes: 64 * 1024 });
    const end = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), patienceMs);
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (chunk) => {
      try {
        decoder.take(chunk, 0);
        if (decoder.whole !== null) end(says(decoder.whole));
      } catch {
        end(false);
      }
    });
    socket.write(encode([0, 1, servesMethod, []]));
  });
}

function says(answer: Buffer): boolean {
  const message = readMessage(decodeValue(answer));
  return message.type === 'response' && (message.error !== null || message.result === true);
}
