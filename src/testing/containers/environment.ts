import { randomBytes } from 'node:crypto';
import { readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { KongTsError } from '../../base/errors.ts';
import { variable, kongSettings, factsOf } from '../../kong-setup/index.ts';
import { secrets } from '../../base/secrets.ts';
import type { KongContainerOptions } from './options.ts';
import type { LocatedPlugin } from './plugins.ts';
import type { Mount, Runtime } from './runtime.ts';

/** Paths in Kong's container. */
export const paths = {
  config: '/kong-ts/kong.yml',
  /** Socket of a server that Kong starts: in Kong's prefix, which its user may write to. */
  socket: '/usr/local/kong/kong-ts.socket',
  /** Folder with the socket and the dumps of a server on the host. */
  shared: '/run/kong-ts',
  plugins: '/usr/local/kong-ts/plugins',
  data: '/tmp/kong-ts-data',
} as const;

/** How Kong's container calls the machine that runs the tests. */
export const hostName = 'host.docker.internal';

/** Ports in Kong's container. 8002 and 8445 are Kong Manager's, 8005 to 8007 and 8444 Kong's own, too (kong.conf of 3.9). */
export const ports = { proxy: 8000, proxyTls: 8443, admin: 8001, eventHooks: 8011 } as const;

export interface PluginPlan {
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** In Kong's container: of each plugin server that Kong starts there. More than one where Kong 3.1 to 3.4 needs it. */
  readonly sockets: readonly string[];
}

/** A Kong without plugins of ours. */
export const noPlugins: PluginPlan = { environment: {}, mounts: [], sockets: [] };

/** What Kong needs to run without the plugins: listeners, the configuration, logs. */
export function baseEnvironment(options: KongContainerOptions): Record<string, string> {
  const streams = [
    ...(options.streamPorts ?? []).map((port) => `0.0.0.0:${String(port)}`),
    ...(options.streamTlsPorts ?? []).map((port) => `0.0.0.0:${String(port)} ssl`),
  ];
  const database: Record<string, string> = usesDatabase(options)
    ? {}
    : {
        KONG_DATABASE: 'off',
        ...(options.declarativeConfig === undefined ? {} : { KONG_DECLARATIVE_CONFIG: paths.config }),
      };
  return {
    KONG_LOG_LEVEL: 'info',
    KONG_NGINX_WORKER_PROCESSES: String(options.workers ?? 2),
    KONG_PROXY_LISTEN: `0.0.0.0:${String(ports.proxy)}, 0.0.0.0:${String(ports.proxyTls)} ssl`,
    KONG_ADMIN_LISTEN: `0.0.0.0:${String(ports.admin)}`,
    ...(streams.length === 0 ? {} : { KONG_STREAM_LISTEN: streams.join(', ') }),
    ...database,
  };
}

/** Whether Kong keeps its entities in a database: one that is started for it, or one of the user's. */
export function usesDatabase({ postgres = false, environment = {} }: KongContainerOptions): boolean {
  return (environment['KONG_DATABASE'] ?? (postgres === false ? 'off' : 'postgres')) !== 'off';
}

/** Kong's whole environment. What the user asks for wins over all that is set here. */
export function kongEnvironment(
  options: KongContainerOptions,
  plan: PluginPlan,
  database: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const own = { ...baseEnvironment(options), ...plan.environment, ...database };
  const passed = [own[passOn], options.environment?.[passOn]].filter((names) => names !== undefined);
  return {
    ...own,
    ...options.environment,
    // What plugins and the server need is passed on beside what the user names.
    ...(passed.length === 0 ? {} : { [passOn]: passed.join('; env ') }),
  };
}

/** nginx passes on to the servers that it starts what this names, and next to nothing else (measured on Kong 3.9.3). */
const passOn = 'KONG_NGINX_MAIN_ENV';

/** The token of event hooks' Admin API: the user's own, or one for this run. */
export function hooksToken({ eventHooks, environment = {} }: KongContainerOptions): string | null {
  if (eventHooks !== true) return null;
  const own = environment[secrets.adminToken.variable] ?? '';
  return own === '' ? randomBytes(24).toString('hex') : own;
}

/** Environment variables for the plugin server: those that the plugins read, and the token. */
export function serverVariables(
  { environment = {} }: KongContainerOptions,
  plugins: readonly LocatedPlugin[],
  token: string | null,
): Record<string, string> {
  const declared = plugins.flatMap((plugin) => plugin.environment);
  const given = Object.entries(environment).filter(([name]) => declared.includes(name));
  return {
    ...Object.fromEntries(given),
    ...(token === null ? {} : { [secrets.adminToken.variable]: token }),
  };
}

/** Whether Kong reads the declarative configuration from the file that is copied into its container. */
export function readsConfigFile(options: KongContainerOptions): boolean {
  return kongEnvironment(options, noPlugins)['KONG_DECLARATIVE_CONFIG'] === paths.config;
}

/** What Kong needs to start the plugin server itself. */
export function insidePlan(
  options: KongContainerOptions,
  plugins: readonly LocatedPlugin[],
  runtime: Runtime,
  token: string | null = null,
): PluginPlan {
  const mounts: Mount[] = [...runtime.mounts];
  const sources = plugins.map(({ name, protocol, file, folder, spec, environment }, index) => {
    if (file === null || folder === null) return { name, protocol, spec, environment };
    const target = `${paths.plugins}/${String(index)}`;
    mounts.push({ source: folder, target, mode: 'ro' });
    return { name, protocol, spec: path.posix.join(target, path.relative(folder, file)), environment };
  });
  const { settings, processes } = kongSettings({
    plugins: sources,
    facts: factsOf(versionOf(options)),
    mode: 'managed',
    socket: paths.socket,
    command: runtime.command,
    dumpFolder: paths.shared,
    // Two servers share the data folder: a plugin's folder in it is its own, and event hooks that are made over the Admin
    // API of either of them (they listen on one port together) are for the plugins of both.
    serveOptions: serveOptions(options, `0.0.0.0:${String(ports.eventHooks)}`, paths.data),
  });
  return {
    environment: {
      ...Object.fromEntries(settings.map((setting) => [variable(setting), setting.value])),
      ...serverVariables(options, plugins, token),
    },
    mounts,
    sockets: processes,
  };
}

/** What Kong needs to use a plugin server on the host, whose socket and dumps lie in a shared folder. */
export function hostPlan(
  options: KongContainerOptions,
  plugins: readonly LocatedPlugin[],
  shared: string,
): PluginPlan {
  const { settings } = kongSettings({
    plugins: plugins.map(({ name, protocol }) => ({ name, protocol, spec: name })),
    facts: factsOf(versionOf(options)),
    mode: 'sidecar',
    socket: `${paths.shared}/kong-ts.socket`,
    command: [],
    dumpFolder: paths.shared,
  });
  return {
    environment: Object.fromEntries(settings.map((setting) => [variable(setting), setting.value])),
    mounts: [{ source: shared, target: paths.shared, mode: 'rw' }],
    sockets: [],
  };
}

/** Further words for `kong-ts serve`. */
export function serveOptions(options: KongContainerOptions, hooksAdmin: string, dataDir: string): string[] {
  return [
    '--data-dir',
    dataDir,
    ...(options.eventHooks === true
      ? [
          '--event-hooks',
          'on',
          '--event-hooks-admin',
          hooksAdmin,
          '--event-hooks-allow',
          'loopback',
          'private',
        ]
      : []),
    ...(options.serveOptions ?? []),
  ];
}

/** The declarative configuration as text. @throws KongTsError FILE_UNREADABLE */
export function configText(given: object | string): string {
  if (typeof given === 'object') return JSON.stringify(given);
  if (given.includes('\n') || given.trimStart().startsWith('{')) return given;
  if (existsSync(given)) return readFileSync(given, 'utf8');
  throw new KongTsError('FILE_UNREADABLE', `There is no declarative configuration "${given}".`, {
    fix: 'Give an object, the text itself, or the path of a file that exists.',
  });
}

/** The image to run; a `KONG_IMAGE` that is empty counts as none. */
export function imageOf({ image }: KongContainerOptions): string {
  const wanted = image ?? process.env['KONG_IMAGE'] ?? '';
  return wanted === '' ? 'kong:3.9' : wanted;
}

/** Kong's version: the tag says it of Kong's own images only, whoever's registry they come from. */
export function versionOf(options: KongContainerOptions): string {
  return options.kongVersion ?? /(?:^|\/)kong(?:-gateway)?:v?(\d+\.\d+)/.exec(imageOf(options))?.[1] ?? '3.9';
}
