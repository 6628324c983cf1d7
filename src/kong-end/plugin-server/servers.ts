import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { SandboxLog } from '../request/log.ts';
import { KongTsError } from '../../base/errors.ts';
import type { PluginServerOptions } from './options.ts';
import type { DumpedPlugin } from './dump.ts';
import { parseDump, readDumpFile, runQueryCommand } from './dump.ts';
import { nginxEnvironment } from './environment.ts';
import { ServerProcess } from './process.ts';
import { RemotePlugin } from './remote-plugin.ts';
import { NginxWorkers } from './worker.ts';

export interface ServersOptions {
  readonly prefix: string;
  readonly log: SandboxLog;
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  /** The value of `nginx_main_env`, see nginxEnvironment. */
  readonly nginxMainEnv: string;
  /** See SandboxOptions. */
  readonly oldWorkerEnds?: (() => Promise<unknown>) | undefined;
}

interface Server {
  readonly options: PluginServerOptions;
  readonly socket: string;
  dump: DumpedPlugin;
  plugin: RemotePlugin;
  process: ServerProcess | null;
}

/** All plugin servers: their dumps, their plugins, and the processes of those that the sandbox starts itself. */
export class PluginServers {
  readonly #servers: Server[] = [];
  readonly #log: SandboxLog;
  readonly #workers: NginxWorkers;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #oldWorkerEnds: () => Promise<unknown>;
  readonly #options: ServersOptions;

  private constructor(options: ServersOptions) {
    const { log, timeoutMs, nginxMainEnv, oldWorkerEnds } = options;
    this.#options = options;
    this.#log = log;
    this.#workers = new NginxWorkers(log, timeoutMs);
    this.#environment = nginxEnvironment(nginxMainEnv, process.env);
    this.#oldWorkerEnds = oldWorkerEnds ?? (() => wait(overlapMs));
  }

  /** Gets every dump and starts what has a start command. @throws KongTsError PLUGIN_SERVER_UNREACHABLE, PLUGIN_INVALID */
  static async open(list: readonly PluginServerOptions[], options: ServersOptions): Promise<PluginServers> {
    const servers = new PluginServers(options);
    const dumps = await servers.#ask(list);
    list.forEach((server, index) => servers.#add(server, dumps[index] as DumpedPlugin));
    for (const server of servers.#servers) server.process?.start();
    return servers;
  }

  /** The plugins as their dumps describe them. */
  get known(): readonly DumpedPlugin[] {
    return this.#servers.map((server) => server.dump);
  }

  get plugins(): readonly RemotePlugin[] {
    return this.#servers.map((server) => server.plugin);
  }

  /** The dumps as they are now: Kong asks for them before each reload. @throws KongTsError as open */
  async dumps(): Promise<readonly DumpedPlugin[]> {
    const dumps = await this.#ask(this.#servers.map(({ options }) => options));
    refuseTwins(dumps);
    return dumps;
  }

  /** What `dumps` has returned holds from now on. */
  take(dumps: readonly DumpedPlugin[]): void {
    this.#servers.forEach((server, index) => {
      const dump = dumps[index];
      if (dump === undefined || isDeepStrictEqual(dump, server.dump)) return;
      server.dump = dump;
      server.plugin = this.#pluginOf(dump, server.socket);
    });
  }

  /**
   * As `kong reload`: it starts new processes and a new nginx worker. That worker has an empty pool, knows no instance,
   * and connects to the process that holds the sockets. The old processes end when the old nginx worker does, whether
   * the new ones have taken the sockets or not.
   */
  async reload(): Promise<void> {
    const leaving: ServerProcess[] = [];
    for (const server of this.#servers) {
      const old = server.process;
      if (old !== null) {
        leaving.push(old);
        server.process = this.#processOf(server.options);
        server.process?.start();
      }
    }
    this.#workers.renew();
    if (leaving.length > 0) await this.#oldWorkerEnds();
    await Promise.all(leaving.map((old) => old.stop()));
  }

  async close(): Promise<void> {
    this.#workers.close();
    await Promise.all(this.#servers.map(async (server) => server.process?.stop()));
  }

  #ask(list: readonly PluginServerOptions[]): Promise<DumpedPlugin[]> {
    return Promise.all(list.map((server) => dumpOf(server, this.#log)));
  }

  #add(server: PluginServerOptions, dump: DumpedPlugin): void {
    refuseTwins([...this.known, dump]);
    const socket = server.socket ?? path.join(this.#options.prefix, `${server.name}.socket`);
    if (server.startCommand === undefined)
      this.#log(
        'info',
        `start_command undefined for pluginserver ${server.name}; assuming external process management`,
      );
    this.#servers.push({
      options: server,
      socket,
      dump,
      plugin: this.#pluginOf(dump, socket),
      process: this.#processOf(server),
    });
  }

  #pluginOf(dump: DumpedPlugin, socket: string): RemotePlugin {
    const { timeoutMs, maxMessageBytes } = this.#options;
    return new RemotePlugin(dump, { path: socket, timeoutMs, maxMessageBytes }, this.#workers, this.#log);
  }

  #processOf({ name, startCommand }: PluginServerOptions): ServerProcess | null {
    if (startCommand === undefined) return null;
    return new ServerProcess(name, startCommand, this.#log, this.#environment);
  }
}

/** How long the old nginx worker lives beside the new one, in milliseconds. Up to 6 s were seen on Kong 3.9.3. */
const overlapMs = 3000;

/** @throws KongTsError PLUGIN_INVALID */
function refuseTwins(dumps: readonly DumpedPlugin[]): void {
  const names = dumps.map(({ name }) => name);
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin === undefined) return;
  throw new KongTsError('PLUGIN_INVALID', `Two plugin servers offer the plugin "${twin}".`);
}

async function dumpOf(server: PluginServerOptions, log: SandboxLog): Promise<DumpedPlugin> {
  const { name, dump, queryCommand } = server;
  let text: string;
  if (typeof dump === 'function') text = JSON.stringify(dump());
  else if (typeof dump === 'object') text = JSON.stringify(dump);
  else if (dump !== undefined) text = readDumpFile(dump);
  else if (queryCommand !== undefined) text = await runQueryCommand(name, queryCommand);
  else
    throw new KongTsError('USAGE', `Plugin server "${name}" has neither a query command nor a dump.`, {
      fix: 'Give one: query="kong-ts dump /path/plugin.ts", or dump=/path/plugin.json.',
    });
  const { plugin, ignored } = parseDump(name, text);
  if (ignored > 0)
    log(
      'warn',
      `plugin server "${name}" lists ${String(ignored + 1)} plugins; Kong 3.9 reads the first one only (${plugin.name}). ` +
        'Give each plugin a server name of its own on the same socket.',
    );
  return plugin;
}
