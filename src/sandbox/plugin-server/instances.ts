import type { BoundPlugin } from '../gateway/plugins.ts';
import type { SandboxLog } from '../gateway/log.ts';
import { messageOf } from '../../errors.ts';
import type { PluginClient } from './client.ts';
import { instanceConfig } from './instance-config.ts';

interface Instance {
  id: number;
  seq: number;
}

/** The instances that one simulated nginx worker has started on one plugin server, by plugin id. */
export class InstanceTable {
  private readonly client: PluginClient;
  private readonly log: SandboxLog;
  private readonly running = new Map<string, Instance>();
  private readonly starting = new Map<string, { seq: number; done: Promise<number> }>();
  private generation = 0;

  constructor(client: PluginClient, log: SandboxLog) {
    this.client = client;
    this.log = log;
  }

  /**
   * The instance of a plugin's present configuration: started on first use and after a change, the old one closed
   * after that. Rejects with an RpcFailure when the server refuses.
   */
  async idFor(plugin: BoundPlugin): Promise<number> {
    const key = plugin.entity.id;
    const known = this.running.get(key);
    if (known?.seq === plugin.seq) return known.id;
    const starting = this.starting.get(key);
    if (starting !== undefined) {
      if (starting.seq === plugin.seq) return starting.done;
      await starting.done.catch(() => undefined);
      return this.idFor(plugin);
    }
    const done = this.start(plugin, known ?? null);
    this.starting.set(key, { seq: plugin.seq, done });
    try {
      return await done;
    } finally {
      this.starting.delete(key);
    }
  }

  /** Drops all instances: the server does not know them any more. */
  reset(): void {
    this.generation++;
    this.running.clear();
  }

  /** Forgets plugins that are gone from the configuration; Kong does not close their instances. */
  retain(pluginIds: ReadonlySet<string>): void {
    for (const id of this.running.keys()) if (!pluginIds.has(id)) this.running.delete(id);
  }

  private async start(plugin: BoundPlugin, old: Instance | null): Promise<number> {
    const { generation } = this;
    const { entity } = plugin;
    const id = await this.client.startInstance(entity.name, instanceConfig(plugin));
    this.log(
      'debug',
      `[plugin-server] started ${entity.name}: seq ${String(plugin.seq)}, instance ${String(id)}`,
    );
    if (generation === this.generation) this.running.set(entity.id, { id, seq: plugin.seq });
    if (old !== null) {
      await this.client.closeInstance(old.id).catch((error: unknown) => {
        this.log('info', `[plugin-server] closing instance ${String(old.id)}: ${messageOf(error)}`);
      });
    }
    return id;
  }
}
