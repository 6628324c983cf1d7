import type { Writable } from 'node:stream';

/** The other side takes nothing for too long, or has gone. */
export class WriteFailed extends Error {
  override readonly name = 'WriteFailed';
}

/**
 * Writes bytes and waits until the connection takes more. A connection that takes nothing for `timeoutMs` is destroyed.
 *
 * @throws WriteFailed
 */
export function writeTo(stream: Writable, bytes: Buffer, timeoutMs: number): Promise<void> {
  if (stream.destroyed) return Promise.reject(new WriteFailed('the connection has ended'));
  if (stream.write(bytes)) return Promise.resolve();
  return drained(stream, timeoutMs);
}

function drained(stream: Writable, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      stream.off('drain', onDrain);
      stream.off('close', onClose);
      if (error === null) resolve();
      else reject(error);
    };
    const onDrain = (): void => settle(null);
    const onClose = (): void => settle(new WriteFailed('the connection has ended'));
    const timer = setTimeout(() => {
      settle(new WriteFailed('the other side takes nothing'));
      stream.destroy();
    }, timeoutMs);
    stream.once('drain', onDrain);
    stream.once('close', onClose);
  });
}
