import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readSecret, secrets } from '../../base/secrets.ts';
import type { DispatcherOptions } from '../dispatcher/options.ts';
import { parseAddress } from '../grpc/address.ts';
import { storeOf } from '../store/index.ts';
import { kongFlags, kongLists, kongSwitches, readKongOptions } from './kong-options.ts';
import type { KongOptions } from './kong-options.ts';
import type { Address } from '../grpc/address.ts';

/** A dispatcher with its two doors. */
export interface ServeOptions {
  /** null: no gRPC. */
  listen: Address | null;
  token: string | null;
  tls: { ca: string; cert: string; key: string } | null;
  /** null: no Admin API. */
  admin: Address | null;
  adminToken: string | null;
  /** Names, lower case, that clients may call the Admin API by although they are no address and no local name. */
  allowHosts: readonly string[];
  /** Share the Admin API's port with a dispatcher that does so, too. */
  reusePort: boolean;
  dispatcher: DispatcherOptions;
  /** The Kong to watch and to stand in front of; null: none. */
  kong: KongOptions | null;
  /** End when standard input closes: for a child that must not outlive its parent. */
  exitWithStdin: boolean;
}

/** The options of the dispatcher's command line, with the text of its help. */
export const serveFlags = {
  listen: 'gRPC: unix:/path, host:port or off (default off)',
  admin: 'Admin API: host:port, unix:/path or off (default 127.0.0.1:8011)',
  store: 'memory: or sqlite:FOLDER (default memory:)',
  'data-dir': 'folder of the durable store: the same as --store sqlite:FOLDER',
  synchronous: 'normal: survives kill -9; full: also loss of power (default normal)',
  'retry-schedule':
    'seconds between attempts, separated by commas (default 5,300,1800,7200,18000,36000,50400,72000,86400)',
  timeout: 'seconds for one attempt (default 15)',
  'target-concurrency': 'deliveries in flight per target (default 64)',
  'target-rate': 'deliveries per second and target (default: no limit)',
  'record-days': 'days that finished deliveries are kept (default 7)',
  'record-count': 'events of which finished deliveries are kept (default 100000)',
  'tls-ca': 'PEM file: who may call over TCP',
  'tls-cert': 'PEM file: certificate of the gRPC server',
  'tls-key': 'PEM file: its key',
  'token-file': 'file with the token of the Admin API (or KONG_TS_ADMIN_TOKEN, KONG_TS_ADMIN_TOKEN_FILE)',
  'hooks-token-file': 'file with the token of gRPC (or KONG_TS_HOOKS_TOKEN, KONG_TS_HOOKS_TOKEN_FILE)',
  ...kongFlags,
} as const;
const switches = {
  'allow-loopback': 'deliver to 127.0.0.0/8 and ::1',
  'allow-private': 'deliver to private address ranges',
  'reuse-port': 'let another dispatcher listen on the same Admin API port during a takeover',
  'exit-with-stdin': 'end when standard input closes',
  ...kongSwitches,
} as const;
export const serveSwitches = switches;
/** Options that may be given several times. */
export const serveLists = {
  'allow-host': 'a name that clients call the Admin API by where it has no token; repeatable',
  ...kongLists,
} as const;

/**
 * @param environment what is not in files of the command line, see src/base/secrets.ts
 * @throws KongTsError USAGE, FILE_UNREADABLE
 */
export function parseServeOptions(
  argv: string[],
  environment: Record<string, string | undefined>,
): ServeOptions {
  const values = parse(argv);
  const number = (name: keyof typeof serveFlags): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (typeof text !== 'string' || text.trim() === '' || !(value >= 0))
      throw usage(`--${name} needs a number`);
    return value;
  };
  const text = (name: keyof typeof serveFlags): string | undefined => values[name] as string | undefined;
  const timeout = number('timeout');
  const days = number('record-days');
  const count = number('record-count');
  const targetConcurrency = number('target-concurrency');
  const targetRate = number('target-rate');
  const schedule = text('retry-schedule')?.split(',').map(Number);
  if (schedule?.some((seconds) => !(seconds >= 0)) === true)
    throw usage('--retry-schedule needs seconds, separated by commas');
  const synchronous = text('synchronous') ?? 'normal';
  if (synchronous !== 'normal' && synchronous !== 'full') throw usage('--synchronous is normal or full');
  return {
    listen: door(text('listen') ?? 'off'),
    token: readSecret(secrets.hooksToken, text('hooks-token-file'), environment),
    tls: readTls(text('tls-ca'), text('tls-cert'), text('tls-key')),
    admin: door(text('admin') ?? '127.0.0.1:8011'),
    adminToken: readSecret(secrets.adminToken, text('token-file'), environment),
    allowHosts: listOf(values['allow-host']),
    reusePort: values['reuse-port'] === true,
    exitWithStdin: values['exit-with-stdin'] === true,
    kong: readKongOptions(values, environment),
    dispatcher: {
      store: store(text('store'), text('data-dir')),
      synchronous,
      allowLoopback: values['allow-loopback'] === true,
      allowPrivate: values['allow-private'] === true,
      ...(schedule === undefined ? {} : { retrySchedule: schedule }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
      ...(days === undefined ? {} : { recordAgeMs: days * 86_400_000 }),
      ...(count === undefined ? {} : { recordCount: count }),
      ...(targetConcurrency === undefined ? {} : { targetConcurrency: Math.max(1, targetConcurrency) }),
      ...(targetRate === undefined || targetRate === 0 ? {} : { targetRate }),
    },
  };
}

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

function parse(argv: string[]): Values {
  const options: Record<string, { type: 'string' | 'boolean'; multiple?: boolean }> = {};
  for (const name of Object.keys(serveFlags)) options[name] = { type: 'string' };
  for (const name of Object.keys(switches)) options[name] = { type: 'boolean' };
  for (const name of Object.keys(serveLists)) options[name] = { type: 'string', multiple: true };
  try {
    return parseArgs({ args: argv, options, allowPositionals: false }).values;
  } catch (error) {
    throw usage(messageOf(error));
  }
}

function store(name: string | undefined, dataDir: string | undefined): string {
  if (name !== undefined && dataDir !== undefined && name !== storeOf(dataDir))
    throw usage('--store and --data-dir name one store and have to agree');
  return name ?? storeOf(dataDir ?? null);
}

const listOf = (value: Values[string]): string[] =>
  Array.isArray(value) ? value.map((one) => String(one).toLowerCase()) : [];
const door = (text: string): Address | null => (text === 'off' ? null : parseAddress(text));
const usage = (text: string): KongTsError => new KongTsError('USAGE', `${text}.`);

function readTls(ca?: string, cert?: string, key?: string): ServeOptions['tls'] {
  if (ca === undefined && cert === undefined && key === undefined) return null;
  if (ca === undefined || cert === undefined || key === undefined)
    throw usage('--tls-ca, --tls-cert and --tls-key belong together');
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new KongTsError('FILE_UNREADABLE', `${file} cannot be read: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  };
  return { ca: read(ca), cert: read(cert), key: read(key) };
}
