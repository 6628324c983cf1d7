import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../../base/errors.ts';
import type { SandboxLog } from '../request/log.ts';
import type { BoundPlugin } from '../request/exchange.ts';
import type { PluginClient } from './client.ts';
import { KongRaised, RpcFailure } from './failure.ts';
import { instanceConfig } from './instance-config.ts';

/** How long a request waits between two looks at an instance that another one starts, in milliseconds. */
const stepMs = 100;
/** Looks before it gives up: 10 s. */
const maxSteps = 100;

/** A worker's knowledge of the instance of one plugin entity. While `id` is null, it is a claim on the instance. */
interface Running {
  id: number | null;
  seq: number;
  /** Null until it was started once. */
  pluginName: string | null;
  client: PluginClient | null;
}

/**
 * The instances that one nginx worker has started, by plugin id, with Kong 3.9.3's rules: the first request starts the
 * instance and the others look for it every 100 ms. A claim is given up when the start fails. If Kong's Lua raises
 * (because a server answers rubbish), the claim stays, and later requests wait for it in vain.
 */
export class RunningInstances {
  readonly #log: SandboxLog;
  readonly #sleep: (milliseconds: number) => Promise<unknown>;
  readonly #running = new Map<string, Running>();

  constructor(log: SandboxLog, sleep: (milliseconds: number) => Promise<unknown> = (time) => wait(time)) {
    this.#log = log;
    this.#sleep = sleep;
  }

  /**
   * The id of the instance of a plugin's present configuration. The instance starts on first use and after a change,
   * and the old one closes after that. Null if two changes overlap and the other one has taken the id away again.
   *
   * Rejects with KongRaised when it cannot be started, with an RpcFailure when nobody else has started it in time.
   */
  async idFor(plugin: BoundPlugin, client: PluginClient): Promise<number | null> {
    const key = plugin.entity.id;
    let found = this.#running.get(key);
    for (let steps = 0; found?.id === null; steps++) {
      if (steps > maxSteps) {
        this.#running.delete(key);
        throw new RpcFailure(`Could not claim instance_id for ${plugin.entity.name} (key: ${plugin.key})`);
      }
      await this.#sleep(stepMs);
      found = this.#running.get(key);
    }
    if (found !== undefined && found.id !== null && found.seq === plugin.seq) return found.id;
    const old = found?.id ?? null;
    const claim: Running = found ?? { id: null, seq: plugin.seq, pluginName: null, client: null };
    claim.id = null;
    if (found === undefined) this.#running.set(key, claim);
    claim.id = await this.#start(plugin, client);
    claim.pluginName = plugin.entity.name;
    claim.seq = plugin.seq;
    claim.client = client;
    if (old !== null) await this.#closeOld(client, old);
    // Looked at again: a request of a newer configuration may have claimed it meanwhile.
    return claim.id;
  }

  /** Drops a plugin's instances: the server does not know them any more. */
  reset(pluginName: string): void {
    this.#drop((each) => each.pluginName === pluginName);
  }

  /** Drops the instances of a client, because its server is another process now. */
  resetServer(client: PluginClient): void {
    this.#drop((each) => each.client === client);
  }

  /** Forgets plugins that are gone from the configuration; Kong does not close their instances. */
  retain(pluginIds: ReadonlySet<string>): void {
    for (const id of this.#running.keys()) if (!pluginIds.has(id)) this.#running.delete(id);
  }

  #drop(gone: (each: Running) => boolean): void {
    for (const [key, each] of this.#running) if (gone(each)) this.#running.delete(key);
  }

  async #start(plugin: BoundPlugin, client: PluginClient): Promise<number | null> {
    const { entity } = plugin;
    try {
      const id = await client.startInstance(entity.name, instanceConfig(plugin));
      this.#log(
        'debug',
        `[plugin-server] started ${entity.name}: seq ${String(plugin.seq)}, instance ${String(id)}`,
      );
      return id;
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
      this.#running.delete(entity.id);
      throw new KongRaised(`starting instance: ${error.message}`, { cause: error });
    }
  }

  async #closeOld(client: PluginClient, id: number): Promise<void> {
    try {
      await client.closeInstance(id);
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
      this.#log('info', `[plugin-server] closing instance ${String(id)}: ${messageOf(error)}`);
    }
  }
}
