import { readFileSync } from 'node:fs';
import { KongTsError, messageOf } from '../../base/errors.ts';

/** Who owns a socket file, as chown takes it. */
export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
}

interface Register {
  readonly file: string;
  readonly what: 'user' | 'group';
  /** The command that tells the number of a name, also of one that is kept elsewhere. */
  readonly ask: (name: string) => string;
}

const users: Register = { file: '/etc/passwd', what: 'user', ask: (name) => `id -u ${name}` };
const groups: Register = { file: '/etc/group', what: 'group', ask: (name) => `getent group ${name}` };

/** The largest id: the one above stands for "unchanged". */
const largestId = 2 ** 32 - 2;

/**
 * Reads `user` or `user:group`, each a number or a name. Without a group it is the process's own. Names are looked up in
 * /etc/passwd and /etc/group, so users of a directory service (LDAP) have to be given by number.
 *
 * @param read reads a file, for tests
 * @throws KongTsError USAGE for another form, an unknown name or a number that is not an id
 */
export function parseOwner(
  text: string,
  read: (file: string) => string = (file) => readFileSync(file, 'utf8'),
): SocketOwner {
  const [, user, group] = /^([^:\s]+)(?::([^:\s]+))?$/.exec(text) ?? [];
  if (user === undefined) {
    throw new KongTsError('USAGE', `--socket-owner has to be a user or user:group, not "${text}".`, {
      fix: 'Write names or numbers, for example kong:kong or 1000:1000.',
    });
  }
  return {
    uid: idOf(users, user, read),
    gid: group === undefined ? (process.getgid?.() ?? 0) : idOf(groups, group, read),
  };
}

function idOf(register: Register, name: string, read: (file: string) => string): number {
  if (/^\d+$/.test(name)) {
    const id = Number(name);
    if (id <= largestId) return id;
    throw new KongTsError(
      'USAGE',
      `--socket-owner: ${name} is not an id of a ${register.what}: the largest is ${String(largestId)}.`,
    );
  }
  const id = lookUp(register, name, read);
  if (id !== null) return id;
  throw new KongTsError(
    'USAGE',
    `--socket-owner: there is no ${register.what} "${name}" in ${register.file}.`,
    {
      fix: `Correct the name, or give its number ("${register.ask(name)}" shows it).`,
    },
  );
}

/** The third field of the name's line, in both files. */
function lookUp(register: Register, name: string, read: (file: string) => string): number | null {
  let lines: string[];
  try {
    lines = read(register.file).split('\n');
  } catch (cause) {
    throw new KongTsError(
      'USAGE',
      `--socket-owner: the ${register.what} "${name}" cannot be looked up: ${messageOf(cause)}.`,
      { cause, fix: 'Give its number.' },
    );
  }
  for (const line of lines) {
    const [found, , id = ''] = line.split(':');
    if (found === name && /^\d+$/.test(id)) return Number(id);
  }
  return null;
}
