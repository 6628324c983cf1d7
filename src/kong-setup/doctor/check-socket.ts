import type { Stats } from 'node:fs';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { ServerDefinition } from '../kong-conf.ts';
import type { Finding } from './finding.ts';
import { error, ok, warning } from './finding.ts';
import type { KongUser } from './permissions.ts';
import { closedFolder, may } from './permissions.ts';

/** The longest path of a unix socket on Linux, in bytes (sun_path without its final zero). */
const longestPath = 107;

/** What is known around a socket. */
export interface SocketContext {
  readonly user: KongUser | null;
  /** Whether Kong runs. If it does, a server has to listen. */
  readonly kongRuns: boolean;
  /** Whether the start_cmd of a name serves this socket. */
  readonly started: boolean;
}

/** How long a server may take to accept a connection, in milliseconds. */
const timeoutMs = 2000;

/** Checks the socket itself: path, kind, permissions, and whether a server answers. */
export async function checkSocket(server: ServerDefinition, context: SocketContext): Promise<Finding[]> {
  const { socket } = server;
  const { user } = context;
  const subject = socket;
  if (!socket.startsWith('/')) {
    return [error(subject, 'It is a relative path.', `Set ${server.prefix}_socket to an absolute path.`)];
  }
  if (Buffer.byteLength(socket) > longestPath) {
    return [
      error(
        subject,
        `It is ${String(Buffer.byteLength(socket))} bytes long; a unix socket can have ${String(longestPath)}.`,
        'Use a shorter folder, such as /run/kong-ts.',
      ),
    ];
  }
  const closed = user === null ? null : closedFolder(socket, user);
  if (closed !== null) {
    return [
      error(
        subject,
        `The user of the nginx workers (uid ${String(user?.uid)}) may not pass through ${closed}.`,
        `Give others the right to pass through it (chmod o+x ${closed}), or use a socket in another folder.`,
      ),
    ];
  }
  if (!existsSync(socket)) return checkFolder(server, context);
  const stats = statSync(socket);
  if (!stats.isSocket()) {
    return [
      error(subject, 'Something that is not a socket stands there.', 'Move it away, or use another path.'),
    ];
  }
  if (user !== null && !mayWrite(stats, user)) {
    return [
      error(
        subject,
        `Its mode is ${(stats.mode & 0o777).toString(8)} (uid ${String(stats.uid)}, gid ${String(stats.gid)}), and the user of the nginx workers (uid ${String(user.uid)}) may not connect.`,
        'Start the server with --socket-mode 0666, or with --socket-owner.',
      ),
    ];
  }
  const failure = await tryConnect(socket);
  if (failure === null) return [ok(subject, 'A server answers.')];
  return [
    error(
      subject,
      failure === 'ECONNREFUSED'
        ? 'The socket is there, and nobody listens: its server has ended.'
        : `It cannot be connected to (${failure}).`,
      howToStart(context),
    ),
  ];
}

const howToStart = ({ started }: SocketContext): string =>
  started
    ? 'Look into error.log (level info) for what the server said when it ended.'
    : 'Start kong-ts serve; with no start_cmd that serves this socket Kong does not start it.';

function checkFolder(server: ServerDefinition, context: SocketContext): Finding[] {
  const { user, kongRuns } = context;
  const folder = dirname(server.socket);
  const other = server.socket.endsWith('.socket')
    ? server.socket.slice(0, -'et'.length)
    : `${server.socket}et`;
  if (existsSync(other) && statSync(other).isSocket()) {
    return [
      error(
        server.socket,
        `It is not there, but ${other} is.`,
        `Set ${server.prefix}_socket = ${other}, or serve with --socket ${server.socket}.`,
      ),
    ];
  }
  if (!existsSync(folder) && !kongRuns) {
    return [
      warning(
        server.socket,
        `Its folder ${folder} is not there yet.`,
        'kong-ts serve makes it where it may; check its parent.',
      ),
    ];
  }
  if (existsSync(folder) && !(user === null ? canWrite(folder) : mayWrite(statSync(folder), user))) {
    return [
      error(
        server.socket,
        `The server may not write to ${folder}.`,
        'Give the folder to the user that runs the server, or use another one.',
      ),
    ];
  }
  if (kongRuns) {
    return [
      error(
        server.socket,
        'Kong runs, and no server has made the socket: requests that need its plugins are answered with 500.',
        howToStart(context),
      ),
    ];
  }
  return [
    warning(
      server.socket,
      'No server has made it yet.',
      'Start Kong (or kong-ts serve where it is managed elsewhere), then run doctor again.',
    ),
  ];
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const mayWrite = (stats: Stats, user: KongUser): boolean => may(0o2, stats, user);

function tryConnect(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const finish = (result: string | null): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => finish('no answer in time'));
    socket.once('connect', () => finish(null));
    socket.once('error', (failure: NodeJS.ErrnoException) => finish(failure.code ?? failure.message));
  });
}
