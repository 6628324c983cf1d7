import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { KongTsError, messageOf } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A secret that a command needs: never on a command line, which every user of the machine can read. */
export interface Secret {
  /** The environment variable that holds it. */
  readonly variable: string;
  /** The environment variable that names a file with it. */
  readonly fileVariable: string;
  /** The flag that names a file with it. */
  readonly flag: string;
  /** The flags of `serve` and `hooks serve` that make use of it. */
  readonly neededBy: readonly string[];
  /** Another name of `flag`, in `serve`. */
  readonly serveFlag?: string;
  /** Of the flags' values only these need it. */
  readonly where?: RegExp;
}

/** Every secret of `serve` and `hooks serve`. What nginx starts has their variables only if `nginx_main_env` names them. */
export const secrets = {
  /** Asked for by the Admin API of event hooks as `Kong-Admin-Token`. */
  adminToken: {
    variable: 'KONG_TS_ADMIN_TOKEN',
    fileVariable: 'KONG_TS_ADMIN_TOKEN_FILE',
    flag: '--token-file',
    neededBy: ['--event-hooks-admin', '--admin'],
  },
  /** Taken by the Admin API of event hooks as `Kong-Admin-Token` of those who may look only. */
  readToken: {
    variable: 'KONG_TS_READ_TOKEN',
    fileVariable: 'KONG_TS_READ_TOKEN_FILE',
    flag: '--read-token-file',
    neededBy: [],
  },
  /** Asked for by the dispatcher over gRPC. */
  hooksToken: {
    variable: 'KONG_TS_HOOKS_TOKEN',
    fileVariable: 'KONG_TS_HOOKS_TOKEN_FILE',
    flag: '--hooks-token-file',
    neededBy: ['--event-hooks', '--listen'],
  },
  /** Sent to Kong's Admin API as `Kong-Admin-Token`. */
  kongToken: {
    variable: 'KONG_ADMIN_TOKEN',
    fileVariable: 'KONG_ADMIN_TOKEN_FILE',
    flag: '--kong-admin-token-file',
    neededBy: ['--kong-admin', '--kong-admin-file'],
  },
  /** URL of Kong's Admin API, which may hold a user and a password. */
  kongAdmin: {
    variable: 'KONG_TS_KONG_ADMIN',
    fileVariable: 'KONG_TS_KONG_ADMIN_FILE',
    flag: '--kong-admin-file',
    neededBy: [],
  },
  /** Of the user of the database that event hooks are stored in. */
  storePassword: {
    variable: 'KONG_TS_HOOKS_STORE_PASSWORD',
    fileVariable: 'KONG_TS_HOOKS_STORE_PASSWORD_FILE',
    flag: '--store-password-file',
    serveFlag: '--event-hooks-store-password-file',
    neededBy: ['--event-hooks-store', '--store'],
    where: /^postgres(ql)?:/,
  },
} as const satisfies Record<string, Secret>;

/**
 * The secrets that flags of a start command need and that do not come from a file.
 * @param words options of `kong-ts serve`, `--flag value` or `--flag=value`
 */
export function secretsNeeded(words: readonly string[]): Secret[] {
  const given = new Map(
    words.map((word, at) => {
      const [flag = '', ...value] = word.split('=');
      return [flag, value.length > 0 ? value.join('=') : (words[at + 1] ?? '')] as const;
    }),
  );
  return Object.values<Secret>(secrets).filter(
    ({ flag, serveFlag = flag, neededBy, where = /^/ }) =>
      !given.has(flag) &&
      !given.has(serveFlag) &&
      neededBy.some((each) => where.test(given.get(each) ?? '') && given.has(each)),
  );
}

const mostBytes = 64 * 1024;

/**
 * A secret from the file that a flag names, from its environment variable, or from the file that the other variable
 * names, in this order. A line end after it does not count. Null when none of them is there.
 * @param file the value of the flag
 * @throws KongTsError FILE_UNREADABLE when a file cannot be read, is empty or larger than 64 KiB
 */
export function readSecret(
  secret: Secret,
  file: string | undefined,
  environment: Environment,
): string | null {
  if (file !== undefined) return readSecretFile(file, secret.flag);
  const value = environment[secret.variable];
  if (value !== undefined && value !== '') return value;
  const named = environment[secret.fileVariable];
  return named === undefined || named === '' ? null : readSecretFile(named, secret.fileVariable);
}

function readSecretFile(path: string, source: string): string {
  let text: string;
  try {
    text = readRegular(path).replace(/\r?\n$/, '');
  } catch (cause) {
    throw unreadable(`cannot be read: ${messageOf(cause).replace(/\.$/, '')}`, path, source, cause);
  }
  if (text === '') throw unreadable('is empty', path, source);
  if (/[\r\n\0]/.test(text)) throw unreadable('has more than one line', path, source);
  return text;
}

function readRegular(path: string): string {
  // A pipe that nobody writes to must not stop the start.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > mostBytes) throw new Error('it is larger than 64 KiB');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function unreadable(why: string, path: string, source: string, cause?: unknown): KongTsError {
  return new KongTsError('FILE_UNREADABLE', `The secret in ${path} (${source}) ${why}.`, {
    cause,
    fix: 'Let it be a file with the secret in one line that this user can read.',
  });
}
