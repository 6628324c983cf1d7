import { KongTsError } from '../../base/errors.ts';
import { secrets } from '../../base/secrets.ts';
import type { Secret } from '../../base/secrets.ts';
import type { DispatcherOptions } from '../dispatcher/options.ts';
import { storeNames } from '../store/open.ts';

/**
 * How an option stands in the command line of a plugin server: under another name, as a word of a list, or not at all.
 */
export type InServer = string | { readonly flag: string; readonly word: string } | null;

interface Row {
  /** Of `kong-ts hooks serve`, without dashes. */
  readonly name: string;
  /** Of `kong-ts serve`; null: the server itself says it. Default: `event-hooks-` and the name. */
  readonly inServer?: InServer;
  /** One line, without the default. */
  readonly help: string;
  /** As a user would write it. */
  readonly default?: string;
  /** The value that a plugin server passes on if its user gives none. Default: nothing. */
  readonly defaultInServer?: string;
  /** The environment variable that counts if the flag is not given. */
  readonly variable?: string;
  /** The other flag that says the same. If it is given, the variable does not count. */
  readonly otherFlag?: string;
  /** The value is a secret. A server passes it on in the environment, which no list of processes shows. */
  readonly secret?: Secret;
}

/**
 * One option of the dispatcher. An option that sets something of {@link DispatcherOptions} is one row in this file; the
 * help of both commands, their command lines and the way through a plugin server come from it.
 */
export type Flag = Row &
  (
    | { readonly type: 'text'; readonly set?: (text: string, flag: string) => DispatcherOptions }
    /** A path: relative ones are those of the command's folder. */
    | { readonly type: 'file' }
    | { readonly type: 'number'; readonly set: (value: number) => DispatcherOptions }
    | { readonly type: 'switch'; readonly set?: () => DispatcherOptions }
    /** May be given several times. */
    | { readonly type: 'list' }
  );

const dispatcherFlags: readonly Flag[] = [
  {
    name: 'synchronous',
    type: 'text',
    help: 'normal: survives kill -9; full: also loss of power',
    default: 'normal',
    set: (synchronous, flag) => {
      if (synchronous !== 'normal' && synchronous !== 'full') throw usage(`${flag} is normal or full`);
      return { synchronous };
    },
  },
  {
    name: 'retry-schedule',
    type: 'text',
    help: 'seconds between attempts, separated by commas',
    default: '5,300,1800,7200,18000,36000,50400,72000,86400',
    set: (text, flag) => {
      const retrySchedule = text.split(',').map(Number);
      if (retrySchedule.some((seconds) => !(seconds >= 0)))
        throw usage(`${flag} needs seconds, separated by commas`);
      return { retrySchedule };
    },
  },
  {
    name: 'timeout',
    type: 'number',
    help: 'seconds for one attempt',
    default: '15',
    set: (seconds) => ({ timeoutMs: seconds * 1000 }),
  },
  {
    name: 'target-concurrency',
    type: 'number',
    help: 'deliveries in flight per target',
    default: '64',
    set: (count) => ({ targetConcurrency: Math.max(1, count) }),
  },
  {
    name: 'target-rate',
    type: 'number',
    help: 'deliveries per second and target',
    default: 'no limit',
    set: (rate) => (rate === 0 ? {} : { targetRate: rate }),
  },
  {
    name: 'record-days',
    type: 'number',
    help: 'days that finished deliveries are kept',
    default: '7',
    set: (days) => ({ recordAgeMs: days * 86_400_000 }),
  },
  {
    name: 'record-count',
    type: 'number',
    help: 'events of which finished deliveries are kept',
    default: '100000',
    set: (recordCount) => ({ recordCount }),
  },
  {
    name: 'allow-loopback',
    inServer: { flag: 'event-hooks-allow', word: 'loopback' },
    type: 'switch',
    help: 'deliver to 127.0.0.0/8 and ::1',
    set: () => ({ allowLoopback: true }),
  },
  {
    name: 'allow-private',
    inServer: { flag: 'event-hooks-allow', word: 'private' },
    type: 'switch',
    help: 'deliver to private address ranges',
    set: () => ({ allowPrivate: true }),
  },
];

/** Names the store, where no flag does. */
export const storeVariable = 'KONG_TS_HOOKS_STORE';

/** The store: two names for one thing, see options.ts. */
const storeFlags: readonly Flag[] = [
  {
    name: 'store',
    type: 'text',
    help: storeNames.join(' or '),
    default: 'memory:',
    variable: storeVariable,
    otherFlag: 'data-dir',
  },
  {
    name: 'store-password-file',
    type: 'file',
    help: fromFile('the password for a store in PostgreSQL', secrets.storePassword),
  },
  {
    name: 'data-dir',
    inServer: null,
    type: 'text',
    help: 'folder of the durable store: the same as --store sqlite:FOLDER',
  },
];

/** The doors. options.ts says what they mean together. */
const doorFlags: readonly Flag[] = [
  {
    name: 'listen',
    inServer: null,
    type: 'text',
    help: 'gRPC: unix:/path, host:port or off',
    default: 'off',
  },
  {
    name: 'admin',
    type: 'text',
    help: 'Admin API of event hooks: host:port, unix:/path or off',
    default: '127.0.0.1:8011',
    defaultInServer: 'off',
  },
  {
    name: 'allow-host',
    inServer: 'allow-host',
    type: 'list',
    help: 'a name that clients call the Admin APIs by where they have no token; repeatable',
  },
  { name: 'tls-ca', inServer: null, type: 'file', help: 'PEM file: who may call over TCP' },
  { name: 'tls-cert', inServer: null, type: 'file', help: 'PEM file: certificate of the gRPC server' },
  { name: 'tls-key', inServer: null, type: 'file', help: 'PEM file: its key' },
  {
    name: 'token-file',
    inServer: 'token-file',
    type: 'file',
    help: fromFile("the token of event hooks' Admin API", secrets.adminToken),
  },
  {
    name: 'read-token-file',
    inServer: 'read-token-file',
    type: 'file',
    help: fromFile(
      "a second token of event hooks' Admin API, which may look and change nothing,",
      secrets.readToken,
    ),
  },
  {
    name: 'payload-view',
    type: 'text',
    help: 'who sees payloads in the Admin API and its console: all, admin (not the second token) or none',
    default: 'all',
  },
  {
    name: 'hooks-token-file',
    inServer: 'hooks-token-file',
    type: 'file',
    help: fromFile("the token of event hooks' gRPC", secrets.hooksToken),
  },
  {
    name: 'reuse-port',
    inServer: null,
    type: 'switch',
    help: 'let another dispatcher listen on the same Admin API port during a takeover',
  },
  {
    name: 'exit-with-stdin',
    inServer: null,
    type: 'switch',
    help: 'end when standard input closes',
  },
];

/** The Kong that is watched: read by kong-options.ts. */
export const kongFlags: readonly Flag[] = [
  {
    name: 'kong-admin',
    inServer: 'kong-admin',
    type: 'text',
    secret: secrets.kongAdmin,
    help: "Kong's Admin API: watch it for crud and balancer events, and pass on to it what is not ours",
  },
  {
    name: 'kong-admin-file',
    inServer: 'kong-admin-file',
    type: 'file',
    help: fromFile('the same, for a URL with user and password,', secrets.kongAdmin),
  },
  {
    name: 'kong-admin-token',
    inServer: 'kong-admin-token',
    type: 'text',
    secret: secrets.kongToken,
    help: 'Kong-Admin-Token for it (better: --kong-admin-token-file)',
  },
  {
    name: 'kong-admin-token-file',
    inServer: 'kong-admin-token-file',
    type: 'file',
    help: fromFile('the token', secrets.kongToken),
  },
  {
    name: 'crud-interval',
    inServer: 'crud-interval',
    type: 'list',
    help: 'seconds between polls, or KIND=SECONDS for one kind (consumers=30); repeatable',
    default: '5',
  },
  {
    name: 'crud-secrets',
    inServer: 'crud-secrets',
    type: 'switch',
    help: 'put keys, passwords and other secrets of entities into payloads',
  },
  {
    name: 'lend-kong-login',
    inServer: 'lend-kong-login',
    type: 'switch',
    help: 'send user and password of the --kong-admin URL for all clients of the front, also where the Admin API is not loopback',
  },
];

/** Every option of the dispatcher, in the order of the help. */
export const flags: readonly Flag[] = [...doorFlags, ...storeFlags, ...dispatcherFlags, ...kongFlags];

/** The commands that run a dispatcher: by itself, or beside a plugin server. */
export type Command = 'hooks serve' | 'serve';

/** How a flag is written, or null where the command has none. */
export function flagName(row: Flag, command: Command): string | null {
  if (command === 'hooks serve') return row.name;
  const { inServer = `event-hooks-${row.name}` } = row;
  return inServer !== null && typeof inServer === 'object' ? inServer.flag : inServer;
}

/** How a user of a command writes a flag of `hooks serve`, for errors and advice. */
export function written(name: string, command: Command): string {
  const row = flags.find((one) => one.name === name);
  const flag = row === undefined ? name : (flagName(row, command) ?? name);
  const word = command === 'serve' && typeof row?.inServer === 'object' ? row.inServer?.word : undefined;
  return word === undefined ? `--${flag}` : `--${flag} ${word}`;
}

/** What a command's help says of a flag. */
export function helpText({ help, variable, ...row }: Flag, command: Command): string {
  const value = command === 'serve' ? (row.defaultInServer ?? row.default) : row.default;
  const more = [
    ...(variable === undefined ? [] : [`or ${variable}`]),
    ...(value === undefined ? [] : [`default ${value}`]),
  ];
  return more.length === 0 ? help : `${help} (${more.join('; ')})`;
}

export const usage = (text: string): KongTsError => new KongTsError('USAGE', `${text}.`);

function fromFile(what: string, { variable, fileVariable }: Secret): string {
  return `${what} from a file (or ${variable}, ${fileVariable})`;
}
