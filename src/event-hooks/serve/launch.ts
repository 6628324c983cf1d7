import { join, resolve } from 'node:path';
import { readSecret, secrets } from '../../base/secrets.ts';
import { flagName, flags, storeVariable } from './flags.ts';
import type { Flag } from './flags.ts';
import { parseServeOptions, parseWords, variableOf } from './options.ts';
import type { Environment, ServeOptions } from './options.ts';

/**
 * How a plugin server starts its dispatcher: a list that the server passes on and does not read. Plain data: it travels
 * to worker processes.
 */
export interface DispatcherLaunch {
  /** Of `kong-ts hooks serve`. */
  readonly words: readonly string[];
  /** Values that no list of processes may show, and variables that must not be read again. */
  readonly environment: Readonly<Record<string, string>>;
  /** A given flag that makes no sense without a dispatcher; null: none was given. */
  readonly neededBy: string | null;
}

export interface LaunchOptions {
  /** Whether the server's user wants a dispatcher. Default `auto`. */
  readonly when?: 'auto' | 'on' | 'off';
  /** Default: the process's. */
  readonly environment?: Environment;
  /** Folder that relative paths are resolved from. Default: the current one. */
  readonly cwd?: string;
  /** Folder of the server; the dispatcher keeps its data in one below it, unless a store is named. Default: none. */
  readonly dataDir?: string | null;
}

/** The given flags of `kong-ts serve`, by their names without dashes. */
export type ServerFlags = Readonly<Record<string, unknown>>;

/**
 * Reads the flags of a plugin server that are its dispatcher's.
 * @throws KongTsError USAGE, FILE_UNREADABLE for what the dispatcher would refuse at its start
 */
export function launchOf(given: ServerFlags, options: LaunchOptions = {}): DispatcherLaunch {
  const { when = 'auto', environment = process.env, cwd = '.', dataDir = null } = options;
  const words: string[] = [];
  const own: Record<string, string> = {};
  for (const row of flags) {
    const value = valueOf(row, given, environment);
    if (value === undefined) continue;
    // A list of processes shows words, and no variables.
    if (row.variable !== undefined && holdsPassword(value)) own[row.variable] = value;
    else if (row.secret === undefined) words.push(...wordsOf(row, value, cwd));
    else Object.assign(own, { [row.secret.variable]: value, [row.secret.fileVariable]: '' });
  }
  if (dataDir !== null && !words.includes('--store') && own[storeVariable] === undefined)
    words.push('--data-dir', join(resolve(cwd, dataDir), 'event-hooks'));
  // A URL on the command line wins over a file with one. A variable is not an order, so it does not contradict
  // `--event-hooks off`.
  const { variable, fileVariable, flag } = secrets.kongAdmin;
  const file = words.indexOf(flag);
  if (own[variable] !== undefined && file !== -1) words.splice(file, 2);
  const silent = { [variable]: '', [fileVariable]: '' };
  if (when === 'off' && file === -1 && own[variable] === undefined) Object.assign(own, silent);
  const { kong } = parseServeOptions(words, { ...environment, ...own }, 'serve');
  // The launch holds what this process was told. The child does not read the variable a second time.
  if (kong === null) Object.assign(own, silent);
  return { words, environment: own, neededBy: kong === null ? null : '--kong-admin' };
}

/**
 * What the dispatcher of a launch will do.
 * @throws KongTsError USAGE, FILE_UNREADABLE
 */
export const readLaunch = (launch: DispatcherLaunch, environment: Environment): ServeOptions =>
  parseServeOptions(launch.words, { ...environment, ...launch.environment }, 'serve');

/** The token of the dispatcher's gRPC; null: it asks for none. @throws KongTsError FILE_UNREADABLE */
export function grpcToken(launch: DispatcherLaunch, environment: Environment): string | null {
  const file = parseWords(launch.words, environment)['hooks-token-file'];
  return readSecret(secrets.hooksToken, file as string | undefined, environment);
}

const holdsPassword = (value: unknown): value is string =>
  typeof value === 'string' && URL.canParse(value) && new URL(value).password !== '';

function valueOf(row: Flag, given: ServerFlags, environment: Environment): unknown {
  const { inServer } = row;
  const name = flagName(row, 'serve');
  if (name === null) return undefined;
  const value = given[name];
  if (typeof inServer === 'object' && inServer !== null)
    return Array.isArray(value) && value.includes(inServer.word) ? true : undefined;
  if (value !== undefined && value !== false) return value;
  return variableOf(row, {}, environment) ?? row.defaultInServer;
}

function wordsOf({ name, type }: Flag, value: unknown, cwd: string): string[] {
  if (type === 'switch') return [`--${name}`];
  const values = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return values.flatMap((one) => [`--${name}`, type === 'file' ? resolve(cwd, String(one)) : String(one)]);
}
