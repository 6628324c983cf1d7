import { once } from 'node:events';
import { lstatSync, unlinkSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { KongTsError, messageOf } from '../../errors.ts';
import { checkSocketPath, temporarySocketPath } from './path.ts';

/** A connection of Kong's. */
export type Connection = Socket;

export interface ClaimOptions {
  /** Permission bits of the socket file; Kong's user has to be able to write to it. */
  mode: number;
  /** Numeric owner, null to leave it to the process. */
  owner: { uid: number; gid: number } | null;
  /** Connections that may wait to be accepted. */
  backlog: number;
  /** Leave connections unread until somebody reads: what is to be handed to another process has to be untouched. */
  paused: boolean;
  onConnection: (socket: Connection) => void;
}

/** A socket path that this process listens on. */
export interface ClaimedSocket {
  readonly path: string;
  /** What was at the path before: nothing, a file that nobody listened on, or another server. */
  readonly found: 'nothing' | 'stale' | 'live';
  /** `taken` once another server has taken the path over, `missing` when somebody has removed the file. */
  check(): Promise<'ours' | 'taken' | 'missing'>;
  /**
   * Stops listening: removes the file if it is still ours, accepts what already waits in the backlog, closes.
   * Connections that were accepted stay open.
   */
  release(): Promise<void>;
}

/**
 * Listens on a unix socket path, taking it over atomically: binds a temporary name in the same folder and renames it
 * over the path, so that at every moment somebody accepts connections on it.
 *
 * @throws KongTsError SOCKET_IN_USE when the path holds anything but a socket, SOCKET_UNUSABLE when the folder or the
 *   file cannot be made
 */
export async function claimSocket(path: string, options: ClaimOptions): Promise<ClaimedSocket> {
  checkSocketPath(path);
  const temporary = temporarySocketPath(path);
  const server = createServer({ pauseOnConnect: options.paused, allowHalfOpen: true }, options.onConnection);
  try {
    await mkdir(dirname(path), { recursive: true });
    const found = await inspect(path);
    server.listen({ path: temporary, backlog: options.backlog });
    await once(server, 'listening');
    server.on('error', () => undefined);
    await chmod(temporary, options.mode);
    if (options.owner !== null) await chown(temporary, options.owner.uid, options.owner.gid);
    const { dev, ino } = await lstat(temporary);
    await rename(temporary, path);
    return claimed(server, path, found, dev, ino);
  } catch (error) {
    server.close();
    await unlink(temporary).catch(() => undefined);
    if (error instanceof KongTsError) throw error;
    throw new KongTsError('SOCKET_UNUSABLE', `The socket ${path} cannot be made: ${messageOf(error)}.`, {
      cause: error,
      fix: 'The folder has to be writable for this user.',
    });
  }
}

function claimed(
  server: Server,
  path: string,
  found: ClaimedSocket['found'],
  dev: number,
  ino: number,
): ClaimedSocket {
  let released = false;
  const check = async () => {
    const now = await lstat(path).catch(() => null);
    if (now === null) return 'missing';
    return now.dev === dev && now.ino === ino ? 'ours' : 'taken';
  };
  return {
    path,
    found,
    check,
    async release() {
      if (released) return;
      released = true;
      // Look and unlink in one go: a new server may rename its socket over ours at any moment.
      removeIfOurs(path, dev, ino);
      // One poll of the event loop accepts everything that is in the backlog; nobody new can find the path. The
      // immediate is there because a timer alone may come before the poll.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setImmediate(resolve));
      server.close();
    },
  };
}

function removeIfOurs(path: string, dev: number, ino: number): void {
  try {
    const now = lstatSync(path);
    if (now.dev === dev && now.ino === ino) unlinkSync(path);
  } catch {
    // It is gone, or the folder can no longer be written to: nothing of ours is left to clean up.
  }
}

async function inspect(path: string): Promise<ClaimedSocket['found']> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (stats === null) return 'nothing';
  if (stats.isSocket()) return (await answers(path)) ? 'live' : 'stale';
  const what = stats.isDirectory() ? 'a folder' : stats.isSymbolicLink() ? 'a symbolic link' : 'a file';
  throw new KongTsError('SOCKET_IN_USE', `${path} is ${what}, not a socket, and is left alone.`, {
    fix: 'Remove it or choose another --socket.',
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
    probe.once('error', () => {
      done(false);
    });
  });
}
