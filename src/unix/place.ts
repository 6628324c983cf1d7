import type { Stats } from 'node:fs';
import { lstatSync, unlinkSync } from 'node:fs';
import { chmod, chown, link, lstat, rename, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { KongTsError, messageOf } from '../base/errors.ts';
import { checkSocketPath, predecessorPath, temporarySocketPath } from './path.ts';
import { makeFolder } from './private.ts';

export interface PlaceOptions {
  /** Permission bits of the socket file, whatever the umask. */
  mode: number;
  /** Numeric owner, null to leave it to the process. */
  owner: { uid: number; gid: number } | null;
  /** What becomes of a path that somebody listens on: it is taken over, or refused. */
  live: 'take over' | 'refuse';
}

/** What is at a path: nothing, a socket that nobody listens on, or one with a listener. */
export type Found = 'nothing' | 'stale' | 'live';

/** By which a socket file is told from another one at the same path. Plain data, for structured clone. */
export type SocketFile = Pick<Stats, 'dev' | 'ino' | 'mtimeMs'>;

/** A socket file at a path that another process of this server has put there. */
export interface AdoptedSocket {
  /** `taken` once another server has taken the path over, `missing` when somebody has removed the file. */
  readonly check: () => Promise<'ours' | 'taken' | 'missing'>;
  /** Removes the file if it is still ours. */
  remove(): void;
}

/** A socket file that this process has put at a path. */
export interface PlacedSocket extends AdoptedSocket {
  readonly path: string;
  /** What was at the path before. */
  readonly found: Found;
  readonly file: SocketFile;
}

/**
 * Puts a unix socket at a path: the one way in which anything here listens on one. It is bound to a temporary name in
 * the same folder and renamed over the path, so that it has its permissions before anybody can find it, and nothing but a
 * socket is ever replaced. Folders are made where they are missing.
 *
 * @param bind listens on the path that it is given
 * @throws KongTsError SOCKET_IN_USE when the path holds anything but a socket, or one with a listener that is not to be taken
 *   over; SOCKET_UNUSABLE when the folder or the file cannot be made
 */
export async function placeSocket(
  path: string,
  options: PlaceOptions,
  bind: (temporary: string) => Promise<unknown>,
): Promise<PlacedSocket> {
  checkSocketPath(path);
  const temporary = temporarySocketPath(path);
  try {
    // Others have to come through a folder to a socket that they may use; nobody but the owner writes to it.
    await makeFolder(dirname(path), (options.mode & 0o077) === 0 ? 0o700 : 0o711);
    const found = await lookAt(path);
    if (found === 'live' && options.live === 'refuse') {
      throw new KongTsError('SOCKET_IN_USE', `${path} has a listener already.`, {
        fix: 'Choose another path, or stop the process that uses it.',
      });
    }
    await bind(temporary);
    await chmod(temporary, options.mode);
    if (options.owner !== null) await chown(temporary, options.owner.uid, options.owner.gid);
    const ours = await lstat(temporary);
    if (found === 'live') await keepPredecessor(path);
    await rename(temporary, path);
    return placed(path, found, ours);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error instanceof KongTsError ? error : unusable(path, error);
  }
}

const unusable = (path: string, cause: unknown): KongTsError =>
  new KongTsError('SOCKET_UNUSABLE', `The socket ${path} cannot be made: ${messageOf(cause)}.`, {
    cause,
    fix: 'The folder has to be writable for this user.',
  });

/** Gives the live socket at the path another name. Without it, this server only cannot ask that one for anything. */
async function keepPredecessor(path: string): Promise<void> {
  const before = predecessorPath(path);
  if (before === null) return;
  try {
    // Nothing but a socket is ever replaced.
    const stats = await lstat(before).catch(() => null);
    if (stats?.isSocket() === true) await unlink(before);
    await link(path, before);
  } catch {
    // Another owner's, or a file system without links.
  }
}

function placed(path: string, found: Found, { dev, ino, mtimeMs }: Stats): PlacedSocket {
  const file = { dev, ino, mtimeMs };
  return { path, found, file, ...adoptSocket(path, file) };
}

/** Watches a socket file that is there already. */
export function adoptSocket(path: string, ours: SocketFile): AdoptedSocket {
  // The number of a file that is gone may be another one's soon: the time at which it was made tells them apart.
  const isOurs = ({ dev, ino, mtimeMs }: SocketFile) =>
    dev === ours.dev && ino === ours.ino && mtimeMs === ours.mtimeMs;
  return {
    async check() {
      const now = await lstat(path).catch(() => null);
      if (now === null) return 'missing';
      return isOurs(now) ? 'ours' : 'taken';
    },
    remove() {
      for (const name of [path, predecessorPath(path)]) {
        try {
          // Look and unlink in one go: a new server may rename its socket over ours at any moment.
          if (name !== null && isOurs(lstatSync(name))) unlinkSync(name);
        } catch {
          // It is gone, or the folder can no longer be written to: nothing of ours is left to clean up.
        }
      }
    },
  };
}

/**
 * What is at a path.
 *
 * @throws KongTsError SOCKET_IN_USE when the path holds anything but a socket, SOCKET_UNUSABLE when nobody can look
 */
export async function lookAt(path: string): Promise<Found> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw unusable(path, error);
  });
  if (stats === null) return 'nothing';
  if (stats.isSocket()) return (await answers(path)) ? 'live' : 'stale';
  const what = stats.isDirectory() ? 'a folder' : stats.isSymbolicLink() ? 'a symbolic link' : 'a file';
  throw new KongTsError('SOCKET_IN_USE', `${path} is ${what}, not a socket, and is left alone.`, {
    fix: 'Remove it or choose another path.',
  });
}

/** Whether somebody listens on the socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const done = (live: boolean) => {
      probe.destroy();
      resolve(live);
    };
    probe.setTimeout(500, () => {
      done(true);
    });
    probe.once('connect', () => {
      done(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // A full backlog (EAGAIN) or a missing permission does not mean that nobody is there.
      done(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
