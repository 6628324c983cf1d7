import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { KongTsError } from '../base/errors.ts';

/** Bytes that a path of a unix socket may have on Linux (`sun_path` less its ending zero). */
export const socketPathLimit = 107;

/** @throws KongTsError SOCKET_UNUSABLE when the path is longer than a socket's may be */
export function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= socketPathLimit) return;
  throw new KongTsError(
    'SOCKET_UNUSABLE',
    `The socket path ${path} has ${length} bytes, and a unix socket may have ${socketPathLimit}.`,
    { fix: 'Use a shorter folder, for example one below /run or /tmp.' },
  );
}

/**
 * Where the socket of the server that had a path before can still be found, for as long as that listens. Null where the name
 * would be too long for a socket.
 */
export function predecessorPath(path: string): string | null {
  const before = `${path}.old`;
  return Buffer.byteLength(before) > socketPathLimit ? null : before;
}

/**
 * A name in the same folder to bind before the rename. It is as short as it has to be, so that a path at the limit
 * still works.
 */
export function temporarySocketPath(path: string): string {
  const folder = dirname(path);
  const room = socketPathLimit - Buffer.byteLength(join(folder, '.'));
  const length = Math.min(12, room);
  if (length < 4) {
    throw new KongTsError('SOCKET_UNUSABLE', `The folder of the socket ${path} leaves no room for a name.`, {
      fix: 'Use a shorter folder.',
    });
  }
  return join(folder, `.${randomBytes(8).toString('hex').slice(0, length)}`);
}
