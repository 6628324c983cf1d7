import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { KongTsError } from '../base/errors.ts';
import { parseHostPort } from '../base/host-port.ts';
import type { DispatcherLaunch } from '../event-hooks/serve/index.ts';
import { isLoopback } from '../http/index.ts';
import { launchOf } from '../event-hooks/serve/index.ts';
import { defaultBodyFolders } from './connection/body-file.ts';
import type { LogFormat, LogLevel } from './log/types.ts';
import { logLevels } from './log/types.ts';
import type { SocketOwner } from './socket/owner.ts';
import { parseOwner } from './socket/owner.ts';

/** Where the server listens for Kong: a path, and what Kong uses it for, if not for everything. */
export interface SocketOptions {
  path: string;
  /**
   * What Kong uses this socket for: the name of a plugin, or `msgpack` or `protobuf` for all plugins of the protocol.
   * It decides how connections are given to workers.
   */
  plugin?: string;
}

/** Options of a plugin server, as a person writes them. Sizes in bytes, times in milliseconds. */
export interface ServerOptions {
  /** Plugin files, package names or names of bundled plugins. */
  plugins: readonly string[];
  /** One or several sockets; a string is a path, `plugin-name=path` or `protocol=path`. */
  socket: string | SocketOptions | readonly (string | SocketOptions)[];
  /** Worker processes; 0 runs everything in this process. Default `auto`: one per core, at most 4. */
  workers?: number | 'auto';
  /** Permissions of the socket files, octal when a string. Default 0o660; Kong, as whatever user it runs, needs to write. */
  socketMode?: number | string;
  /** Owner of the socket files, `user` or `user:group`, each a name or a number. Default: the process's own. */
  socketOwner?: string;
  /** Connections that may wait to be accepted. Default 4096 (the system's limit applies too). */
  backlog?: number;
  /** Largest frame or message from Kong. Default 64 MiB. */
  maxFrameBytes?: number;
  /**
   * Folders that Kong keeps request bodies in, the only ones that files are read from; `off`: none. Default:
   * `client_body_temp` beside each socket (its place is Kong's prefix) and /usr/local/kong/client_body_temp.
   */
  bodyFolder?: string | readonly string[];
  /** A worker whose resident memory grows beyond this is replaced. Default: no limit. */
  maxWorkerMemory?: number | string;
  /** A worker whose event loop does not turn for this long is killed and replaced. Default 15 s. */
  blockLimit?: number;
  /** How long events in flight may take to finish when a worker stops, and as long again what plugins have queued. Default 10 s. */
  drainTimeout?: number;
  /** Ask Kong for what handlers are known to ask for, before they do (ProtoBuf:1). Default true. */
  prefetch?: boolean;
  /** Make one call of several where Kong does the same for it. Default true. */
  merge?: boolean;
  /** A configuration without events for this long gives up its state. Default 1 h. */
  idleTimeout?: number;
  /** Folder for plugins and the event hook dispatcher to keep data in. Default: none. */
  dataDir?: string | null;
  logLevel?: LogLevel;
  /** `json`: one object per line. `pretty`: lines for people, in colour where standard output is a terminal. Default `json`. */
  logFormat?: LogFormat;
  /** `host:port` of the listener for /metrics, /health and /status. Default: none. */
  metrics?: string | null;
  /** Names that clients call the listeners without a token by, beside addresses and local names. Default: none. */
  allowHosts?: readonly string[];
  /** Path of the control socket of `kong-ts status` and `reload`. Default: the first socket's path + `.ctl`. */
  control?: string | null;
  /**
   * File for the instance ids that Kong has been given, so that the next server knows them; holds configurations, mode
   * 600; null for none. Default: the first socket's path + `.instances`.
   */
  instancesFile?: string | null;
  /** Start the event hook dispatcher: `auto` when a plugin publishes event hooks. Default `auto`. */
  eventHooks?: 'auto' | 'on' | 'off';
  /** How the dispatcher is started, see `launchOf`. Default: without an Admin API, with its data below `dataDir`. */
  dispatcher?: DispatcherLaunch;
  /** Reload when a plugin's file changes. Default false. */
  watch?: boolean;
  /**
   * `host:port` of this machine where a debugger finds the worker, `on` for 127.0.0.1:9229. There is one worker then, and it may
   * stand still for as long as a person looks at it. Default: none.
   */
  inspect?: string | null;
  /** Folder that relative plugin files and sockets are resolved from. Default: the current one. */
  cwd?: string;
}

export interface CompiledSocket {
  readonly path: string;
  readonly plugin: string | null;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Options with every default filled in and every value checked. Plain data: it travels to worker processes. */
export interface CompiledServerOptions {
  readonly plugins: readonly string[];
  readonly sockets: readonly CompiledSocket[];
  readonly workers: number;
  readonly socketMode: number;
  readonly socketOwner: SocketOwner | null;
  readonly backlog: number;
  readonly maxFrameBytes: number;
  /** Absolute paths; empty: no file is read. */
  readonly bodyFolders: readonly string[];
  readonly maxWorkerMemory: number | null;
  readonly blockLimitMs: number;
  readonly drainTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly prefetch: boolean;
  readonly merge: boolean;
  readonly dataDir: string | null;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly metrics: HostPort | null;
  readonly allowHosts: readonly string[];
  readonly control: string | null;
  readonly instancesFile: string | null;
  readonly eventHooks: 'auto' | 'on' | 'off';
  /** Passed on to the dispatcher and never read here. */
  readonly dispatcher: DispatcherLaunch;
  readonly watch: boolean;
  /** Where a debugger finds the worker; null: nowhere. */
  readonly inspect: HostPort | null;
  readonly cwd: string;
}

/** @throws KongTsError USAGE naming the option and what it has to be */
export function compileServerOptions(options: ServerOptions): CompiledServerOptions {
  const cwd = resolve(options.cwd ?? '.');
  if (options.plugins.length === 0) throw usage('Name at least one plugin to serve.');
  const list = Array.isArray(options.socket)
    ? (options.socket as readonly (string | SocketOptions)[])
    : [options.socket as string | SocketOptions];
  const sockets = list.map((socket) => compileSocket(socket, cwd));
  const [first] = sockets;
  if (first === undefined) throw usage('Name a socket to listen on (--socket PATH).');
  if (options.watch === true && options.workers === 0) {
    throw usage('--watch needs workers: a server with --workers 0 cannot load plugins anew.');
  }
  if (new Set(sockets.map((socket) => socket.path)).size < sockets.length) {
    throw usage('Two --socket options name the same path.');
  }
  const inspect = compileInspect(options);
  const dataDir = options.dataDir == null ? null : resolve(cwd, options.dataDir);
  const { dispatcher = launchOf({}, { environment: {}, dataDir }) } = options;
  return {
    plugins: [...options.plugins],
    sockets,
    workers: compileWorkers(options.workers ?? 'auto', inspect !== null),
    socketMode: compileMode(options.socketMode ?? 0o660),
    socketOwner: options.socketOwner === undefined ? null : parseOwner(options.socketOwner),
    backlog: whole('--backlog', options.backlog ?? 4096, 1),
    maxFrameBytes: whole('--max-frame-bytes', options.maxFrameBytes ?? 64 * 1024 * 1024, 1024),
    bodyFolders: compileBodyFolders(options.bodyFolder, sockets, cwd),
    maxWorkerMemory: options.maxWorkerMemory === undefined ? null : compileBytes(options.maxWorkerMemory),
    blockLimitMs: whole('--block-limit', options.blockLimit ?? (inspect === null ? 15_000 : dayMs), 100),
    drainTimeoutMs: whole('--drain-timeout', options.drainTimeout ?? 10_000, 0),
    idleTimeoutMs: whole('--idle-timeout', options.idleTimeout ?? 3_600_000, 1),
    prefetch: options.prefetch ?? true,
    merge: options.merge ?? true,
    dataDir,
    logLevel: compileLevel(options.logLevel ?? 'notice'),
    logFormat: options.logFormat ?? 'json',
    metrics: options.metrics == null || options.metrics === 'off' ? null : compileHostPort(options.metrics),
    allowHosts: (options.allowHosts ?? []).map((name) => name.toLowerCase()),
    control: options.control === undefined ? `${first.path}.ctl` : options.control,
    instancesFile: compileInstancesFile(options.instancesFile, first.path, cwd),
    eventHooks: compileEventHooks(options.eventHooks ?? 'auto', dispatcher),
    dispatcher,
    watch: options.watch ?? false,
    inspect,
    cwd,
  };
}

const dayMs = 86_400_000;

/** A debugger runs any code that it is told to. So it is for this machine alone. */
function compileInspect({ inspect, workers }: ServerOptions): HostPort | null {
  if (inspect == null) return null;
  const where = inspect === 'on' ? { host: '127.0.0.1', port: 9229 } : compileHostPort(inspect);
  if (!isLoopback(where.host)) {
    throw usage(`--inspect has to be an address of this machine, not ${inspect}: a debugger runs any code.`);
  }
  if (workers === undefined || workers === 'auto' || workers === 1) return where;
  throw usage('--inspect is for one worker: leave out --workers, or give 1.');
}

function compileInstancesFile(file: string | null | undefined, socket: string, cwd: string): string | null {
  if (file === null || file === 'off') return null;
  return file === undefined ? `${socket}.instances` : resolve(cwd, file);
}

/** What needs the dispatcher has it, whatever plugins do. */
function compileEventHooks(
  when: 'auto' | 'on' | 'off',
  { neededBy }: DispatcherLaunch,
): 'auto' | 'on' | 'off' {
  if (neededBy === null) return when;
  if (when === 'off')
    throw usage(`${neededBy} needs the event hook dispatcher: leave out --event-hooks off.`);
  return 'on';
}

function usage(message: string): KongTsError {
  return new KongTsError('USAGE', message);
}

function compileBodyFolders(
  folder: ServerOptions['bodyFolder'],
  sockets: readonly CompiledSocket[],
  cwd: string,
): readonly string[] {
  if (folder === undefined) return defaultBodyFolders(sockets.map(({ path }) => path));
  const folders = typeof folder === 'string' ? [folder] : folder;
  if (folders.includes('')) throw usage('--body-folder needs a path.');
  if (!folders.includes('off')) return folders.map((each) => resolve(cwd, each));
  if (folders.length > 1) throw usage('--body-folder is off or names folders, not both.');
  return [];
}

function compileSocket(socket: string | SocketOptions, cwd: string): CompiledSocket {
  if (typeof socket !== 'string') {
    return { path: resolve(cwd, socket.path), plugin: socket.plugin ?? null };
  }
  const named = /^([^/=]+)=(.+)$/.exec(socket);
  if (socket === '') throw usage('--socket needs a path.');
  if (named === null) return { path: resolve(cwd, socket), plugin: null };
  return { path: resolve(cwd, named[2] ?? ''), plugin: named[1] ?? null };
}

function compileWorkers(workers: number | 'auto', inspected: boolean): number {
  if (inspected) return 1;
  if (workers === 'auto') return Math.min(4, availableParallelism());
  return whole('--workers', workers, 0, 64);
}

function whole(option: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw usage(`${option} has to be a whole number ${range}, not ${value}.`);
}

function compileMode(mode: number | string): number {
  const value = typeof mode === 'number' ? mode : /^[0-7]{3,4}$/.test(mode) ? Number.parseInt(mode, 8) : -1;
  if (value >= 0 && value <= 0o777) return value;
  throw usage(`--socket-mode has to be an octal number such as 660, not ${mode}.`);
}

/** Bytes from a number or a text with a unit: `512M`, `1.5GiB`, `800000k`. */
export function compileBytes(size: number | string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(String(size).trim());
  const factor = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[parts?.[2]?.toLowerCase() ?? ''];
  if (parts === null || factor === undefined || Number(parts[1]) <= 0) {
    throw usage(`A size has to be a number of bytes or have a unit, such as 512M or 1G, not ${size}.`);
  }
  return Math.round(Number(parts[1]) * factor);
}

function compileLevel(level: string): LogLevel {
  const known = logLevels.find((name) => name === level);
  if (known !== undefined) return known;
  throw usage(`--log-level has to be one of ${logLevels.join(', ')}, not ${level}.`);
}

/** `127.0.0.1:9100`, `[::1]:9100` or a port alone, which listens on 127.0.0.1. */
export function compileHostPort(text: string): HostPort {
  const parsed = parseHostPort(text);
  if (parsed === null) throw usage(`An address has to be HOST:PORT, not ${text}.`);
  return { host: parsed.host ?? '127.0.0.1', port: parsed.port };
}
