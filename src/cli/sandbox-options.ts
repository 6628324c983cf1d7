import { KongTsError } from '../base/errors.ts';
import { parseKongConf, pluginsOf, readSettings } from '../kong-setup/index.ts';
import type { LogLevel, PluginServerOptions, SandboxOptions } from '../sandbox/index.ts';
import { logLevels } from '../sandbox/index.ts';

export interface SandboxFlags {
  kongConf?: string;
  config: string[];
  proxyListen?: string;
  adminListen?: string;
  allowHost?: string[];
  streamListen?: string;
  pluginServer: string[];
  plugins?: string;
  nginxMainEnv?: string;
  strict?: boolean;
  deck?: boolean;
  database?: string;
  eventHooksAdmin?: string;
  prefix?: string;
  workers?: string;
  trustedIps?: string;
  logLevel?: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The options of a sandbox: from flags, else Kong's environment variables, else kong.conf, else the defaults. @throws
 * KongTsError USAGE, FILE_UNREADABLE
 */
export function compileSandboxOptions(flags: SandboxFlags, variables: Environment): SandboxOptions {
  const environment = { ...(flags.kongConf === undefined ? {} : fromConf(flags.kongConf)), ...variables };
  const given = (flag: string | undefined, variable: string): string | undefined => {
    const value = flag ?? environment[variable];
    return value === undefined || value.trim() === '' ? undefined : value.trim();
  };
  const config = flags.config.length > 0 ? flags.config : list(given(undefined, 'KONG_DECLARATIVE_CONFIG'));
  const plugins = given(flags.plugins, 'KONG_PLUGINS');
  const workers = given(flags.workers, 'KONG_NGINX_WORKER_PROCESSES');
  const trusted = given(flags.trustedIps, 'KONG_TRUSTED_IPS');
  const level = given(flags.logLevel, 'KONG_LOG_LEVEL');
  const options: { [Key in keyof SandboxOptions]?: SandboxOptions[Key] | undefined } = {
    config,
    proxyListen: given(flags.proxyListen, 'KONG_PROXY_LISTEN'),
    adminListen: given(flags.adminListen, 'KONG_ADMIN_LISTEN'),
    allowHosts: flags.allowHost?.map((name) => name.toLowerCase()),
    streamListen: given(flags.streamListen, 'KONG_STREAM_LISTEN'),
    pluginServers: [...flags.pluginServer.map(parsePluginServer), ...serversOf(flags, environment)],
    plugins: plugins === undefined ? undefined : pluginsOf(new Map([['plugins', plugins]])),
    nginxMainEnv: given(flags.nginxMainEnv, 'KONG_NGINX_MAIN_ENV'),
    strict: flags.strict === true ? true : undefined,
    deck: flags.deck === true ? true : undefined,
    database: given(flags.database, 'KONG_DATABASE') === 'off' ? 'off' : undefined,
    eventHooksAdmin: given(flags.eventHooksAdmin, 'KONG_TS_EVENT_HOOKS_ADMIN'),
    prefix: given(flags.prefix, 'KONG_PREFIX'),
    workers: workers === undefined || workers === 'auto' ? undefined : wholeNumber(workers, '--workers'),
    trustedIps: trusted === undefined ? undefined : list(trusted),
    logLevel: level === undefined ? undefined : levelOf(level),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The properties of a kong.conf as the environment variables that say the same. */
function fromConf(file: string): Environment {
  const properties = [...parseKongConf(readSettings(file))];
  return Object.fromEntries(properties.map(([key, value]) => [`KONG_${key.toUpperCase()}`, value]));
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function wholeNumber(text: string, option: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number <= 256) return number;
  throw new KongTsError('USAGE', `${option} must be a whole number between 1 and 256, not "${text}".`);
}

function levelOf(text: string): LogLevel {
  const level = logLevels.find((each) => each === text);
  if (level !== undefined) return level;
  throw new KongTsError('USAGE', `"${text}" is not a log level.`, {
    fix: `Levels are ${logLevels.join(', ')}.`,
  });
}

/** `NAME=SOCKET,query=COMMAND,dump=FILE,start=COMMAND`; a command may hold commas. */
function parsePluginServer(text: string): PluginServerOptions {
  const [first = '', ...rest] = text.split(/,(?=(?:query|dump|start)=)/);
  const at = first.indexOf('=');
  const name = at < 0 ? first : first.slice(0, at);
  const server: PluginServerOptions = { name };
  if (name === '' || name.includes('/'))
    throw new KongTsError('USAGE', `"${text}" is not a plugin server.`, {
      fix: 'Write --plugin-server NAME=/path/to.socket,query="kong-ts dump plugin.ts".',
    });
  if (at >= 0 && at + 1 < first.length) server.socket = first.slice(at + 1);
  for (const part of rest) {
    const split = part.indexOf('=');
    const value = part.slice(split + 1);
    if (part.startsWith('query=')) server.queryCommand = value;
    else if (part.startsWith('dump=')) server.dump = value;
    else server.startCommand = value;
  }
  return server;
}

/** The servers that Kong's environment variables describe, unless a flag has one of that name. */
function serversOf(flags: SandboxFlags, environment: Environment): PluginServerOptions[] {
  const flagged = new Set(flags.pluginServer.map((text) => parsePluginServer(text).name));
  return list(environment['KONG_PLUGINSERVER_NAMES'])
    .filter((name) => !flagged.has(name))
    .map((name) => {
      const prefix = `KONG_PLUGINSERVER_${name.toUpperCase().replaceAll('-', '_')}_`;
      const server: PluginServerOptions = { name };
      const socket = environment[`${prefix}SOCKET`];
      const query = environment[`${prefix}QUERY_CMD`];
      const start = environment[`${prefix}START_CMD`];
      if (socket !== undefined && socket !== '') server.socket = socket;
      if (query !== undefined && query !== '') server.queryCommand = query;
      if (start !== undefined && start !== '') server.startCommand = start;
      return server;
    });
}
