import { Command, Option } from 'commander';
import { KongTsError } from '../base/errors.ts';
import { launchOf } from '../event-hooks/serve/index.ts';
import type { LogFormat, LogLevel, CompiledServerOptions } from '../server/index.ts';
import { logFormats, logLevels, compileBytes, compileServerOptions, runServer } from '../server/index.ts';
import { useOwnUmask } from '../unix/index.ts';
import { addDispatcherFlags, dispatcherFlags } from './dispatcher-flags.ts';
import { checkPlugins } from './serve-check.ts';

interface ServeFlags {
  socket: string[];
  workers: string;
  socketMode?: string;
  socketOwner?: string;
  backlog?: string;
  maxFrameBytes?: string;
  bodyFolder: string[];
  maxWorkerMemory?: string;
  blockLimit?: string;
  drainTimeout?: string;
  idleTimeout?: string;
  prefetch: boolean;
  merge: boolean;
  dataDir?: string;
  logLevel: LogLevel;
  logFormat?: LogFormat;
  admin?: string;
  metrics?: string;
  allowHost: string[];
  control?: string;
  instancesFile?: string;
  eventHooks: 'auto' | 'on' | 'off';
  watch?: boolean;
  inspect?: string | true;
  check?: boolean;
}

const sockets = `
Sockets:
  Every socket takes calls for every plugin, in both protocols. --socket NAME=PATH says that Kong uses this socket for
  the plugin NAME; msgpack=PATH and protobuf=PATH say it for all plugins of a protocol. It matters with several workers:
  the calls of one MsgPack:1 event may come on any connection, so a socket that is used for such plugins alone is given
  to one worker. Give each of them a socket of its own to spread them. A mixed socket works, too, but half of the
  MsgPack:1 calls then travel between workers: kong-ts kong-config gives each protocol its own.

Signals:
  SIGTERM, SIGINT   drain and stop: events in flight finish, plugins flush, exit status 0
  SIGHUP            load the plugins anew without a failed event (also: kong-ts reload)

A second server on the same path takes it over once its plugins are loaded; the first one drains and stops.
Secrets:
  A server that Kong starts has none of the environment of "kong start": name a file, or the variable in nginx_main_env
  (KONG_NGINX_MAIN_ENV=KONG_TS_ADMIN_TOKEN). Without a token, --event-hooks-admin beyond loopback is refused there.`;

export function build(): Command {
  const command = new Command('serve')
    .description('serve plugins to Kong on a unix socket')
    .argument('<plugin...>', 'plugin files, package names or names of bundled plugins')
    .requiredOption(
      '--socket <path>',
      'socket to listen on, repeatable; NAME=PATH for one plugin or protocol',
      collect,
      [],
    )
    .option('--workers <n>', 'worker processes: auto, a number, or 0 for one process', 'auto')
    .option('--socket-mode <octal>', 'permissions of the socket file (default: 660)')
    .option('--socket-owner <user[:group]>', 'owner of the socket file, names or numbers')
    .option('--backlog <n>', 'connections that may wait to be accepted (default: 4096)')
    .option('--max-frame-bytes <size>', 'largest message from Kong (default: 64M)')
    .option(
      '--body-folder <folder>',
      "where Kong keeps request bodies, or off; repeatable (default: client_body_temp beside the sockets and in Kong's default prefix)",
      collect,
      [],
    )
    .option('--max-worker-memory <size>', 'replace a worker that grows beyond this, e.g. 512M')
    .option('--block-limit <seconds>', 'replace a worker whose event loop stands still (default: 15)')
    .option('--drain-timeout <seconds>', 'time for events in flight and queues at a stop (default: 10)')
    .option('--idle-timeout <seconds>', 'configurations give up their state after (default: 3600)')
    .option('--no-prefetch', 'never ask Kong for anything before a plugin does')
    .option('--no-merge', 'make each PDK call by itself')
    .option('--data-dir <folder>', 'where plugins and event hooks keep data')
    .addOption(
      new Option('--log-level <level>', "one of Kong's levels").choices([...logLevels]).default('notice'),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'pretty for people, json for programs (default: pretty on a terminal)',
      ).choices([...logFormats]),
    )
    .option('--admin <host:port>', 'Admin API of the server: /health, /status and /metrics (default: none)')
    .option('--metrics <host:port>', 'the same, under another name')
    .option('--control <path>', 'control socket (default: the first socket + .ctl)')
    .option(
      '--instances-file <path>',
      'where the ids that Kong has been given are kept for the next server, or off (default: the first socket + .instances)',
    )
    .addOption(
      new Option('--event-hooks <when>', 'start the event hook dispatcher')
        .choices(['auto', 'on', 'off'])
        .default('auto'),
    )
    .option('--watch', 'load plugins anew when a file changes that they are loaded from')
    .option('--inspect [host:port]', 'let a debugger attach to the worker (default: 127.0.0.1:9229)')
    .option('--check', 'read the options, load the plugins, say what would be served, and end')
    .addHelpText('after', sockets)
    .action(serve);
  addDispatcherFlags(command, 'serve');
  return command;
}

async function serve(plugins: string[], flags: ServeFlags, command: Command): Promise<void> {
  useOwnUmask();
  const options = compile(plugins, flags, dispatcherFlags(command, 'serve'));
  if (flags.check === true) {
    await checkPlugins(options);
    return;
  }
  await runServer(options);
}

function compile(
  plugins: string[],
  flags: ServeFlags,
  dispatcher: Record<string, unknown>,
): CompiledServerOptions {
  const { socket, workers, ...rest } = flags;
  return compileServerOptions({
    plugins,
    socket,
    workers: workers === 'auto' ? 'auto' : number('--workers', workers),
    logLevel: rest.logLevel,
    logFormat: rest.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    prefetch: rest.prefetch,
    merge: rest.merge,
    eventHooks: rest.eventHooks,
    ...given('socketMode', rest.socketMode),
    ...given('socketOwner', rest.socketOwner),
    ...given(
      'maxFrameBytes',
      rest.maxFrameBytes === undefined ? undefined : compileBytes(rest.maxFrameBytes),
    ),
    ...given('bodyFolder', rest.bodyFolder.length === 0 ? undefined : rest.bodyFolder),
    ...given('maxWorkerMemory', rest.maxWorkerMemory),
    ...given('dataDir', rest.dataDir),
    ...given('metrics', adminAddress(rest.admin, rest.metrics)),
    ...given('control', rest.control),
    ...given('instancesFile', rest.instancesFile),
    allowHosts: rest.allowHost,
    dispatcher: launchOf(dispatcher, { when: rest.eventHooks, ...given('dataDir', rest.dataDir) }),
    ...given('watch', rest.watch),
    ...given('inspect', rest.inspect === true ? 'on' : rest.inspect),
    ...given('backlog', rest.backlog === undefined ? undefined : number('--backlog', rest.backlog)),
    ...seconds('blockLimit', '--block-limit', rest.blockLimit),
    ...seconds('drainTimeout', '--drain-timeout', rest.drainTimeout),
    ...seconds('idleTimeout', '--idle-timeout', rest.idleTimeout),
  });
}

function adminAddress(admin: string | undefined, metrics: string | undefined): string | undefined {
  if (admin !== undefined && metrics !== undefined && admin !== metrics) {
    throw new KongTsError('USAGE', '--admin and --metrics name one listener and have to agree.');
  }
  return admin ?? metrics;
}

/** An option that was given; an absent one stays absent, so that its default applies. */
function given<const Key extends string, Value>(key: Key, value: Value): { [K in Key]?: NonNullable<Value> } {
  return value === undefined || value === null
    ? {}
    : ({ [key]: value } as { [K in Key]: NonNullable<Value> });
}

function seconds<const Key extends string>(
  key: Key,
  option: string,
  value: string | undefined,
): { [K in Key]?: number } {
  return given(key, value === undefined ? undefined : Math.round(number(option, value) * 1000));
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new KongTsError('USAGE', `${option} has to be a number, not "${text}".`);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
