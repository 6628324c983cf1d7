import { parseArgs } from 'node:util';
import { messageOf } from '../../base/errors.ts';
import { readSecret, secrets } from '../../base/secrets.ts';
import type { DispatcherOptions } from '../dispatcher/options.ts';
import { parseAddress } from '../grpc/address.ts';
import { storeOf } from '../store/open.ts';
import { flags, usage, written } from './flags.ts';
import type { Command, Flag } from './flags.ts';
import { readKongOptions } from './kong-options.ts';
import type { KongOptions } from './kong-options.ts';
import { readTlsFiles } from './tls-files.ts';
import type { TlsFiles } from './tls-files.ts';
import type { Address } from '../grpc/address.ts';

/** A dispatcher with its two doors. */
export interface ServeOptions {
  /** null: no gRPC. */
  listen: Address | null;
  token: string | null;
  tls: TlsFiles | null;
  /** null: no Admin API. */
  admin: Address | null;
  adminToken: string | null;
  /** The token of those who may look only. */
  readToken: string | null;
  payloadView: 'all' | 'admin' | 'none';
  /** Further names, in lower case, that clients may call the Admin API by, beside addresses and local names. */
  allowHosts: readonly string[];
  /** Share the Admin API's port with a dispatcher that does so, too. */
  reusePort: boolean;
  dispatcher: DispatcherOptions;
  /** The Kong to watch and to stand in front of; null: none. */
  kong: KongOptions | null;
  /** The command that the user wrote: errors name its flags. */
  command: Command;
  /** The control socket of the plugin server that has started this dispatcher; null: none has. */
  serverControl: string | null;
  /** End when standard input closes: for a child that must not outlive its parent. */
  exitWithStdin: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was given, by the names of the flags. */
export type Given = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/**
 * @param argv words of `kong-ts hooks serve`
 * @param environment what is not in files of the command line, see src/base/secrets.ts
 * @param command whose flags errors name
 * @throws KongTsError USAGE, FILE_UNREADABLE
 */
export function parseServeOptions(
  argv: readonly string[],
  environment: Environment,
  command: Command = 'hooks serve',
): ServeOptions {
  const given = parseWords(argv, environment);
  const text = (name: string): string | undefined => given[name] as string | undefined;
  const adminToken = readSecret(secrets.adminToken, text('token-file'), environment);
  const readToken = readSecret(secrets.readToken, text('read-token-file'), environment);
  if (readToken !== null && adminToken === null)
    throw usage('--read-token-file needs --token-file: without it, everybody may do everything');
  if (readToken !== null && readToken === adminToken)
    throw usage('--read-token-file and --token-file hold the same token: then nobody could only look');
  return {
    listen: door(text('listen') ?? 'off'),
    token: readSecret(secrets.hooksToken, text('hooks-token-file'), environment),
    tls: readTlsFiles(text('tls-ca'), text('tls-cert'), text('tls-key')),
    admin: door(text('admin') ?? '127.0.0.1:8011'),
    adminToken,
    readToken,
    payloadView: payloadView(text('payload-view') ?? 'all', command),
    allowHosts: listOf(given['allow-host']),
    reusePort: given['reuse-port'] === true,
    serverControl:
      environment.KONG_TS_SERVER_CONTROL === '' ? null : (environment.KONG_TS_SERVER_CONTROL ?? null),
    exitWithStdin: given['exit-with-stdin'] === true,
    command,
    kong: readKongOptions(given, environment),
    dispatcher: Object.assign(
      {
        store: store(text('store'), text('data-dir'), command),
        storePassword: readSecret(secrets.storePassword, text('store-password-file'), environment),
        advice: adviceFor(command),
      },
      ...flags.map((row) => setBy(row, given[row.name], written(row.name, command))),
    ) as DispatcherOptions,
  };
}

/** The options that words of `kong-ts hooks serve`, and variables beside them, express. @throws KongTsError USAGE */
export function parseWords(argv: readonly string[], environment: Environment): Given {
  const options = Object.fromEntries(
    flags.map(({ name, type }) => [
      name,
      { type: type === 'switch' ? ('boolean' as const) : ('string' as const), multiple: type === 'list' },
    ]),
  );
  let values: Given;
  try {
    ({ values } = parseArgs({ args: [...argv], options, allowPositionals: false }));
  } catch (error) {
    throw usage(messageOf(error));
  }
  const fromEnvironment = flags.flatMap((row): [string, string][] => {
    const value = variableOf(row, values, environment);
    return value === undefined ? [] : [[row.name, value]];
  });
  return { ...Object.fromEntries(fromEnvironment), ...values };
}

/** The environment's value for a row whose flag is not given. */
export function variableOf(
  { variable, otherFlag }: Flag,
  given: Given,
  environment: Environment,
): string | undefined {
  if (variable === undefined || (otherFlag !== undefined && given[otherFlag] !== undefined)) return undefined;
  return environment[variable] === '' ? undefined : environment[variable];
}

/** What a row sets of the dispatcher's options. */
function setBy(row: Flag, value: Given[string], flag: string): DispatcherOptions {
  if (value === undefined || !('set' in row)) return {};
  if (row.type === 'switch') return value === true ? (row.set?.() ?? {}) : {};
  const text = String(value);
  if (row.type === 'text') return row.set?.(text, flag) ?? {};
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0)) throw usage(`${flag} needs a number`);
  return row.set(number);
}

const adviceFor = (command: Command): { loopback: string; private: string } => ({
  loopback: written('allow-loopback', command),
  private: written('allow-private', command),
});

function store(name: string | undefined, dataDir: string | undefined, command: Command): string {
  if (name !== undefined && dataDir !== undefined && name !== storeOf(dataDir))
    throw usage(`${written('store', command)} and --data-dir name one store and have to agree`);
  return name ?? storeOf(dataDir ?? null);
}

function payloadView(text: string, command: Command): ServeOptions['payloadView'] {
  if (text === 'all' || text === 'admin' || text === 'none') return text;
  const flag = command === 'serve' ? '--event-hooks-payload-view' : '--payload-view';
  throw usage(`${flag} is all, admin or none`);
}

const listOf = (value: Given[string]): string[] =>
  Array.isArray(value) ? value.map((one) => String(one).toLowerCase()) : [];
const door = (text: string): Address | null => (text === 'off' ? null : parseAddress(text));
