import { KongTsError } from '../errors.ts';
import type { Protocol } from '../pdk/phases.ts';
import type { KongFacts } from './versions.ts';

/** One plugin as Kong's configuration has to name it. */
export interface PluginSource {
  /** The plugin's name in Kong. */
  readonly name: string;
  /** What `kong-ts serve` takes: an absolute file, a package name or the name of a bundled plugin. */
  readonly spec: string;
  readonly protocol: Protocol;
}

export interface SettingsOptions {
  readonly plugins: readonly PluginSource[];
  readonly facts: KongFacts;
  /** `managed`: Kong starts the server. `sidecar`: somebody else does, and Kong's image needs no Node. */
  readonly mode: 'managed' | 'sidecar';
  /** Absolute path of the unix socket. */
  readonly socket: string;
  /** The absolute command that runs kong-ts, as words: `/usr/local/bin/node /usr/local/lib/kong-ts/bin/kong-ts.js`. */
  readonly command: readonly string[];
  /** Sidecar: the folder (as Kong sees it) that holds `<plugin>.json`, written there by `kong-ts dump`. */
  readonly dumpFolder: string;
}

/** One property of kong.conf, without the `KONG_` prefix, in the order to print. */
export interface Setting {
  readonly key: string;
  readonly value: string;
}

export interface KongSettings {
  readonly settings: readonly Setting[];
  /** What somebody has to run beside Kong (sidecar), as shell lines. */
  readonly commands: readonly string[];
  /** What to know, as sentences. */
  readonly notes: readonly string[];
}

/** A server name as Kong turns it into property names: lower case, `-` becomes `_` (Kong 3.9.3). */
export const propertyName = (name: string): string => name.toLowerCase().replaceAll('-', '_');

/**
 * What Kong needs in its configuration to run the plugins, for one process that serves them all.
 *
 * From Kong 3.9 only the first plugin of a dump is read, so there each plugin is a server name of its own and all of
 * them share one socket; `start_cmd` is given to the first only.
 * @throws KongTsError USAGE where the plugins, paths or the mode cannot work with this Kong
 */
export function kongSettings(options: SettingsOptions): KongSettings {
  const { plugins, facts, mode } = options;
  check(options);
  const servers = facts.manyPluginsPerServer ? groupByProtocol(plugins) : plugins.map((plugin) => [plugin]);
  const settings: Setting[] = [
    { key: 'plugins', value: ['bundled', ...plugins.map((plugin) => plugin.name)].join(',') },
    { key: 'pluginserver_names', value: servers.map((group) => nameOf(group)).join(',') },
  ];
  servers.forEach((group, index) => {
    const prefix = `pluginserver_${propertyName(nameOf(group))}`;
    settings.push({ key: `${prefix}_socket`, value: options.socket });
    settings.push({
      key: `${prefix}_query_cmd`,
      value:
        mode === 'sidecar'
          ? `cat ${options.dumpFolder}/${nameOf(group)}.json`
          : [...options.command, 'dump', ...group.map((plugin) => plugin.spec)].join(' '),
    });
    if (mode === 'managed' && index === 0) {
      settings.push({
        key: `${prefix}_start_cmd`,
        value: [
          ...options.command,
          'serve',
          ...plugins.map((plugin) => plugin.spec),
          '--socket',
          options.socket,
        ].join(' '),
      });
    }
  });
  return { settings, commands: commandsOf(options, servers), notes: notesOf(options, servers.length) };
}

/** The server name of a group: its plugin's name, or the name of the first of several. */
const nameOf = (group: readonly PluginSource[]): string => group[0]?.name ?? '';

/** A dump has one protocol for all of its plugins. */
function groupByProtocol(plugins: readonly PluginSource[]): PluginSource[][] {
  return [...Map.groupBy(plugins, (plugin) => plugin.protocol).values()];
}

function commandsOf(options: SettingsOptions, servers: readonly (readonly PluginSource[])[]): string[] {
  if (options.mode === 'managed') return [];
  return [
    ...servers.map(
      (group) =>
        `kong-ts dump ${group.map((plugin) => plugin.spec).join(' ')} > ${options.dumpFolder}/${nameOf(group)}.json`,
    ),
    `kong-ts serve ${options.plugins.map((plugin) => plugin.spec).join(' ')} --socket ${options.socket} --socket-mode 0666`,
  ];
}

function notesOf(options: SettingsOptions, servers: number): string[] {
  const { facts, mode, plugins } = options;
  const notes: string[] = [];
  if (!facts.manyPluginsPerServer && plugins.length > 1) {
    notes.push(
      `Kong ${facts.version} reads only the first plugin of a dump, so each plugin has a server name of its own; they share one process and one socket.`,
    );
  }
  if (mode === 'managed' && servers > 1) {
    notes.push(
      'Only the first name has a start_cmd: Kong warns "start_command undefined" for the others, which is right, since the first one serves them all.',
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
  for (const [what, path] of [
    ['--socket', options.socket],
    ['--dump-folder', options.dumpFolder],
  ] as const) {
    if (!path.startsWith('/')) {
      throw new KongTsError('USAGE', `${what} is "${path}", a relative path.`, {
        fix: 'Kong runs its commands in a folder of its own: give an absolute path.',
      });
    }
  }
  // Kong splits nothing and quotes nothing: the text goes to popen as it is, but its own list syntax ends at a comma.
  for (const text of [options.socket, ...options.command, ...plugins.map((plugin) => plugin.spec)]) {
    if (/[\s,"'\\$`;&|<>()#]/.test(text)) {
      throw new KongTsError('USAGE', `"${text}" holds a character that Kong's commands cannot carry.`, {
        fix: 'Use a path of letters, digits, and . _ - / @ : = + only.',
      });
    }
  }
  const seen = new Map<string, string>();
  for (const { name } of plugins) {
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
