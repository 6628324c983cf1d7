import path from 'node:path';
import { KongTsError } from '../base/errors.ts';
import type { Protocol } from '../pdk/names/index.ts';
import type { Sidecar } from './sidecar.ts';
import { secretsNeeded } from '../base/secrets.ts';
import type { KongFacts } from './versions.ts';
import type { PluginSource } from './plugin-source.ts';

export interface SettingsOptions {
  readonly plugins: readonly PluginSource[];
  readonly facts: KongFacts;
  /**
   * `managed`: Kong starts the server. `sidecar`: the server starts in a container of its own, and Kong's image needs
   * no Node.
   */
  readonly mode: 'managed' | 'sidecar';
  /** Absolute path of the unix socket. */
  readonly socket: string;
  /** The absolute command that runs kong-ts, as words: `/usr/local/bin/node /usr/local/lib/kong-ts/bin/kong-ts.js`. */
  readonly command: readonly string[];
  /** Sidecar: the folder in which Kong sees `<plugin>.json`, which `kong-ts dump` writes there. */
  readonly dumpFolder: string;
  /** Further words for `kong-ts serve`: `--event-hooks-admin`, `127.0.0.1:8011`. */
  readonly serveOptions?: readonly string[];
  /** Sidecar: the image that the formats compose and helm name; `kong-ts-sidecar` by default. */
  readonly sidecarImage?: string;
}

/** One property of kong.conf, without the `KONG_` prefix, in the order to print. */
export interface Setting {
  readonly key: string;
  readonly value: string;
}

export interface KongSettings {
  readonly settings: readonly Setting[];
  /** Sidecar: what has to run beside Kong, as shell lines. */
  readonly commands: readonly string[];
  /** The first socket of each process that Kong starts: what `kong-ts status --socket` takes. */
  readonly processes: readonly string[];
  /** The container beside Kong; null where Kong starts the server. */
  readonly sidecar: Sidecar | null;
  /** What to know, as sentences. */
  readonly notes: readonly string[];
}

/** A server name as Kong turns it into property names: lower case, `-` becomes `_` (Kong 3.9.3). */
export const propertyName = (name: string): string => name.toLowerCase().replaceAll('-', '_');

/** One name in `pluginserver_names`. */
interface ServerName {
  readonly name: string;
  /** The plugins that its dump lists. */
  readonly plugins: readonly PluginSource[];
  readonly socket: string;
  /** The plugins that its `start_cmd` serves; null where it has none. */
  readonly starts: readonly PluginSource[] | null;
}

/**
 * What Kong needs in its configuration to run the plugins, for one process that serves them all.
 *
 * - Kong 3.9 and later read only the first plugin of a dump. So each plugin is a server name of its own, the plugins of
 *   one protocol share a socket, and only the first name has a `start_cmd`.
 * - Kong 3.1 to 3.4 skip a name without `start_cmd`. So each protocol has a process of its own.
 *
 * @throws KongTsError USAGE where the plugins, paths or the mode cannot work with this Kong
 */
export function kongSettings(options: SettingsOptions): KongSettings {
  const { plugins, mode } = options;
  check(options);
  const servers = serverNames(options);
  const settings: Setting[] = [
    { key: 'plugins', value: ['bundled', ...plugins.map((plugin) => plugin.name)].join(',') },
    { key: 'pluginserver_names', value: servers.map((server) => server.name).join(',') },
  ];
  for (const server of servers) {
    const prefix = `pluginserver_${propertyName(server.name)}`;
    settings.push({ key: `${prefix}_socket`, value: server.socket });
    settings.push({
      key: `${prefix}_query_cmd`,
      value:
        mode === 'sidecar'
          ? `cat ${options.dumpFolder}/${server.name}.json`
          : [...options.command, 'dump', ...specsOf(server.plugins)].join(' '),
    });
    if (server.starts === null) continue;
    settings.push({
      key: `${prefix}_start_cmd`,
      value: [
        ...options.command,
        'serve',
        ...specsOf(server.starts),
        ...socketArguments(server.starts, server.starts === plugins ? options.socket : server.socket),
        ...(options.serveOptions ?? []),
      ].join(' '),
    });
  }
  const passed = mode === 'managed' ? variablesOf(options) : [];
  // Kong writes each `nginx_main_` property into nginx.conf as one directive. Further directives follow a semicolon.
  if (passed.length > 0) settings.push({ key: 'nginx_main_env', value: passed.join('; env ') });
  return {
    settings,
    commands: commandsOf(options),
    processes: servers
      .filter((server) => server.starts !== null)
      .map((server) => firstSocket(options, server)),
    sidecar: mode === 'sidecar' ? sidecarOf(options) : null,
    notes: notesOf(options, servers),
  };
}

function sidecarOf({ plugins, facts, socket, dumpFolder, sidecarImage }: SettingsOptions): Sidecar {
  const image = sidecarImage ?? 'kong-ts-sidecar';
  return { plugins, image, kongImage: `kong:${facts.version}`, socket, dumpFolder };
}

const specsOf = (plugins: readonly PluginSource[]): string[] => plugins.map((plugin) => plugin.spec);

function serverNames({ plugins, facts, mode, socket }: SettingsOptions): ServerName[] {
  // Beside a sidecar each plugin has a dump of its own, so that the sidecar need not know Kong's version to write the
  // files.
  const groups =
    mode === 'managed' && facts.manyPluginsPerServer
      ? groupByProtocol(plugins)
      : plugins.map((plugin) => [plugin]);
  const apart = !facts.externalServers && groups.length > 1;
  return groups.map((group, index) => ({
    name: group[0]?.name ?? '',
    plugins: group,
    socket: socketOf(group[0]?.protocol ?? 'protobuf', plugins, socket),
    starts: apart ? group : mode === 'managed' && index === 0 ? plugins : null,
  }));
}

/**
 * The path on which the plugins of a protocol are served. Kong keeps its connections in one pool per path, whatever
 * plugin, server name or protocol they were used for (measured on 3.9.3), so two protocols never share a path:
 * `/run/kong-ts.socket` for ProtoBuf:1, `/run/kong-ts-msgpack.socket` for MsgPack:1 beside it.
 * @param plugins all plugins that are configured. Where they speak one protocol, the path stays as it was given.
 */
export function socketOf(
  protocol: Protocol,
  plugins: readonly { readonly protocol: Protocol }[],
  socket: string,
): string {
  const mixed = new Set(plugins.map((plugin) => plugin.protocol)).size > 1;
  if (!mixed || protocol === 'protobuf') return socket;
  const { dir, name, ext } = path.posix.parse(socket);
  return path.posix.join(dir, `${name}-msgpack${ext}`);
}

/** `--socket` options of `kong-ts serve` for plugins of one or both protocols, as words. */
export function socketArguments(
  plugins: readonly { readonly protocol: Protocol }[],
  socket: string,
): string[] {
  const msgpack = socketOf('msgpack', plugins, socket);
  return ['--socket', socket, ...(msgpack === socket ? [] : ['--socket', `msgpack=${msgpack}`])];
}

/** The environment variables that plugins and flags need. */
function variablesOf({ plugins, serveOptions = [] }: SettingsOptions): string[] {
  const own = plugins.flatMap((plugin) => plugin.environment ?? []);
  return [...new Set([...own, ...secretsNeeded(serveOptions).map((secret) => secret.variable)])];
}

const firstSocket = ({ plugins, socket }: SettingsOptions, server: ServerName): string =>
  server.starts === plugins ? socket : server.socket;

/** A dump has one protocol for all of its plugins. */
function groupByProtocol(plugins: readonly PluginSource[]): PluginSource[][] {
  return [...Map.groupBy(plugins, (plugin) => plugin.protocol).values()];
}

function commandsOf({ mode, plugins, dumpFolder, socket, serveOptions }: SettingsOptions): string[] {
  if (mode === 'managed') return [];
  return [
    ...plugins.map((plugin) => `kong-ts dump ${plugin.spec} > ${dumpFolder}/${plugin.name}.json`),
    `kong-ts serve ${[...specsOf(plugins), ...socketArguments(plugins, socket), ...(serveOptions ?? [])].join(' ')} --socket-mode 0666`,
  ];
}

function notesOf(options: SettingsOptions, servers: readonly ServerName[]): string[] {
  const { facts, mode, plugins } = options;
  const notes: string[] = [];
  if (!facts.manyPluginsPerServer && plugins.length > 1) {
    notes.push(
      `Kong ${facts.version} reads only the first plugin of a dump, so each plugin has a server name of its own; they share one process.`,
    );
  }
  if (new Set(servers.map((server) => server.socket)).size > 1) {
    notes.push(
      'Each protocol has a socket of its own: Kong keeps its connections by the path of the socket alone and would send calls of both protocols over one connection.',
    );
  }
  const processes = servers.filter((server) => server.starts !== null).length;
  if (mode === 'managed' && processes > 1) {
    notes.push(
      `Kong ${facts.version} skips a name without start_cmd, so each protocol has a process of its own.`,
    );
  } else if (mode === 'managed' && servers.length > 1) {
    notes.push(
      'Only the first name has a start_cmd: Kong warns "start_command undefined" for the others, which is right, since the first one serves them all.',
    );
  }
  const passed = variablesOf(options);
  if (mode === 'managed' && passed.length > 0) {
    notes.push(
      `A server that Kong starts has next to nothing of Kong's environment: nginx_main_env passes ${passed.join(', ')} on. Set them for kong start, or put secrets into files (kong-ts serve --token-file and the like).`,
    );
  }
  if (mode === 'managed') {
    notes.push(
      'The output of a server that Kong starts goes to error.log at level info: set log_level = info to see it.',
    );
    notes.push(
      'The server runs as the user of the nginx workers (kong in the official image), who must be able to write to the folder of the socket.',
    );
  } else {
    notes.push(
      'Kong warns "start_command undefined" for each name, which is right: the server is managed elsewhere.',
    );
    notes.push(
      'The socket lies on a volume that both containers mount, with a mode that lets the user of the nginx workers connect (--socket-mode 0666).',
    );
    notes.push('After a change of a schema, write the dumps again and run kong reload.');
  }
  if (!facts.protobufResets && plugins.some((plugin) => plugin.protocol === 'protobuf')) {
    notes.push(`Kong ${facts.version} keeps using instance ids of a ProtoBuf:1 server that was restarted.`);
  }
  return [...notes, ...facts.notes];
}

function check(options: SettingsOptions): void {
  const { plugins, facts, mode } = options;
  if (plugins.length === 0)
    throw new KongTsError('USAGE', 'No plugin is given.', { fix: 'Name at least one plugin.' });
  if (mode === 'sidecar' && !facts.externalServers) {
    throw new KongTsError(
      'USAGE',
      `Kong ${facts.version} cannot use a plugin server that it has not started itself: it waits 20 s for it and then skips the plugin.`,
      {
        fix: 'Use --mode managed, or Kong 3.5 or later.',
      },
    );
  }
  for (const [what, file] of [
    ['--socket', options.socket],
    ['--dump-folder', options.dumpFolder],
    // Beside a sidecar, `cat` is all that Kong runs.
    ...(mode === 'managed' ? [['--command', options.command[0] ?? ''] as const] : []),
  ] as const) {
    if (!file.startsWith('/')) {
      throw new KongTsError('USAGE', `${what} is "${file}", a relative path.`, {
        fix: 'Kong runs its commands in a folder of its own and with a short PATH: give an absolute path.',
      });
    }
  }
  // The text goes to popen as it is: Kong does not split or quote it. A comma would end an item of Kong's own list
  // syntax.
  const texts = [
    options.socket,
    options.dumpFolder,
    ...(mode === 'managed' ? options.command : []),
    ...(options.serveOptions ?? []),
    ...specsOf(plugins),
  ];
  for (const text of texts) {
    if (/[\s,"'\\$`;&|<>()#]/.test(text)) {
      throw new KongTsError('USAGE', `"${text}" holds a character that Kong's commands cannot carry.`, {
        fix: 'Use a path of letters, digits, and . _ - / @ : = + only.',
      });
    }
  }
  const seen = new Map<string, string>();
  for (const { name } of plugins) {
    if (!/^[A-Za-z0-9_-]+$/.test(name)) {
      throw new KongTsError(
        'USAGE',
        `The plugin name ${JSON.stringify(name)} cannot be a part of a setting of kong.conf.`,
        { fix: 'Use letters, digits, "-" and "_" only.' },
      );
    }
    const other = seen.get(propertyName(name));
    if (other !== undefined) {
      throw new KongTsError(
        'USAGE',
        `The plugins "${other}" and "${name}" have the same property name "${propertyName(name)}" in Kong's configuration.`,
        {
          fix: 'Rename one of them.',
        },
      );
    }
    seen.set(propertyName(name), name);
  }
}
