import { statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { SandboxLog } from '../gateway/log.ts';
import { KongTsError } from '../../errors.ts';
import type { PluginServerOptions } from '../options.ts';
import { parseDump, readDumpFile, runQueryCommand, type DumpedPlugin } from './dump.ts';
import { ServerProcess } from './process.ts';
import { RemotePlugin } from './remote-plugin.ts';

export interface ServersOptions {
  readonly prefix: string;
  readonly log: SandboxLog;
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
}

interface Server {
  readonly options: PluginServerOptions;
  readonly plugin: RemotePlugin;
  readonly socket: string;
  process: ServerProcess | null;
}

/** All plugin servers: their dumps, their plugins, and the processes of those that the sandbox starts itself. */
export class PluginServers {
  private readonly servers: Server[] = [];
  private readonly log: SandboxLog;
  readonly known: DumpedPlugin[] = [];

  private constructor(log: SandboxLog) {
    this.log = log;
  }

  /** Gets every dump and starts what has a start command. @throws KongTsError PLUGIN_SERVER_UNREACHABLE, PLUGIN_INVALID */
  static async open(list: readonly PluginServerOptions[], options: ServersOptions): Promise<PluginServers> {
    const servers = new PluginServers(options.log);
    const dumps = await Promise.all(list.map((server) => dumpOf(server, options.log)));
    list.forEach((server, index) => servers.add(server, dumps[index] as DumpedPlugin, options));
    for (const server of servers.servers) server.process?.start();
    return servers;
  }

  get plugins(): readonly RemotePlugin[] {
    return this.servers.map((server) => server.plugin);
  }

  /**
   * As `kong reload`: new processes are started, and the old ones end once the sockets are no longer theirs (in Kong
   * 3.9.3 old and new server live side by side for seconds). All instances are started anew.
   */
  async reload(): Promise<void> {
    const handovers = this.servers.map(async (server) => {
      const { startCommand, name } = server.options;
      const old = server.process;
      if (old !== null && startCommand !== undefined) {
        const before = inodeOf(server.socket);
        server.process = new ServerProcess(name, startCommand, this.log);
        server.process.start();
        const end = Date.now() + overlapLimit;
        while (inodeOf(server.socket) === before && Date.now() < end) await wait(50);
        await old.stop();
      }
      server.plugin.reset();
    });
    await Promise.all(handovers);
  }

  async close(): Promise<void> {
    for (const server of this.servers) server.plugin.close();
    await Promise.all(this.servers.map(async (server) => server.process?.stop()));
  }

  private add(server: PluginServerOptions, dump: DumpedPlugin, options: ServersOptions): void {
    if (this.known.some((each) => each.name === dump.name))
      throw new KongTsError('PLUGIN_INVALID', `Two plugin servers offer the plugin "${dump.name}".`);
    this.known.push(dump);
    const socket = server.socket ?? path.join(options.prefix, `${server.name}.socket`);
    const client = { path: socket, timeoutMs: options.timeoutMs, maxMessageBytes: options.maxMessageBytes };
    if (server.startCommand === undefined)
      this.log(
        'info',
        `start_command undefined for pluginserver ${server.name}; assuming external process management`,
      );
    this.servers.push({
      options: server,
      socket,
      plugin: new RemotePlugin(dump, client, this.log),
      process:
        server.startCommand === undefined
          ? null
          : new ServerProcess(server.name, server.startCommand, this.log),
    });
  }
}

/** How long a new server may take to take its socket over before the old one is ended all the same. */
const overlapLimit = 6000;

function inodeOf(socket: string): number | null {
  return statSync(socket, { throwIfNoEntry: false })?.ino ?? null;
}

async function dumpOf(server: PluginServerOptions, log: SandboxLog): Promise<DumpedPlugin> {
  const { name, dump, queryCommand } = server;
  let text: string;
  if (typeof dump === 'object') text = JSON.stringify(dump);
  else if (dump !== undefined) text = await readDumpFile(dump);
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
