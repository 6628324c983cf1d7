import { Buffer } from 'node:buffer';
import type { PhaseChannel, KongApi } from '../../pdk/index.ts';
import { createKong } from '../../pdk/index.ts';
import type { CompiledPlugin } from '../../plugin/index.ts';
import type { ConnectionHost, RunningInstance, StartedInstance } from '../../server/embedded/index.ts';
import {
  BodyFiles,
  lookAtRuntime,
  InstanceRegistry,
  createPluginStats,
  PluginMetricsStore,
} from '../../server/embedded/index.ts';
import type { ServerLog } from '../../server/index.ts';
import type { PluginInfo } from '../../wire/protobuf/index.ts';
import { JumpingClock } from './jumping-clock.ts';

/** What a plugin under test runs in. */
export interface TestHostOptions {
  readonly plugin: CompiledPlugin;
  /** The server's own log. */
  readonly log: ServerLog;
  /** The log that `setup` gets. */
  readonly pluginLog: ServerLog;
  readonly dataDir: string | null;
  /** Whether calls are merged. */
  readonly merge: boolean;
  /** Where the fake Kong keeps bodies. */
  readonly bodyFolder: string;
  /** Gets its hands on the PDK of each event. */
  adapt(kong: KongApi, channel: PhaseChannel): unknown;
}

/** A plugin server's worker with one plugin: the server's own connections and instances, nothing around them. */
export class TestHost implements ConnectionHost {
  readonly maxFrameBytes = 64 * 1024 * 1024;
  readonly workerIndex = 0;
  readonly bodyFiles: BodyFiles;
  readonly clock = new JumpingClock();
  readonly log: ServerLog;
  readonly metrics = new PluginMetricsStore();
  /** Why the last instance could not be started. */
  startFailure: unknown = null;
  readonly #options: TestHostOptions;
  readonly #registry: InstanceRegistry;

  constructor(options: TestHostOptions) {
    this.#options = options;
    this.log = options.log;
    this.bodyFiles = new BodyFiles({ folders: [options.bodyFolder], maxBytes: this.maxFrameBytes });
    const stats = createPluginStats();
    this.#registry = new InstanceRegistry({
      clock: this.clock,
      log: options.log,
      merge: options.merge,
      readsInLog: () => options.plugin.phases.includes('log'),
      plugin: (name) => (name === options.plugin.name ? options.plugin : null),
      stats: () => stats,
      surroundings: (plugin, info) => {
        const metrics = this.metrics.of(plugin.name, info.pluginId ?? '');
        return {
          log: options.pluginLog,
          metrics,
          dataDir: options.dataDir,
          worker: { index: 0, count: 1 },
          release: () => metrics.close(),
        };
      },
    });
  }

  createKong(channel: PhaseChannel): unknown {
    return this.#options.adapt(createKong(channel), channel);
  }

  async startInstance(name: string, config: Buffer): Promise<StartedInstance> {
    this.startFailure = null;
    try {
      // The decoder may use its memory again.
      return await this.#registry.start(name, Buffer.from(config));
    } catch (error) {
      this.startFailure = error;
      throw error;
    }
  }

  async closeInstance(id: number): Promise<StartedInstance | null> {
    const described = this.#registry.describe(id);
    await this.#registry.forget(id);
    return described;
  }

  findInstance(id: number): RunningInstance | null | Promise<RunningInstance | null> {
    return this.#registry.find(id);
  }

  instanceStatus(id: number): StartedInstance | null {
    return this.#registry.describe(id);
  }

  pluginNames(): readonly string[] {
    return [this.#options.plugin.name];
  }

  pluginInfo(name: string): PluginInfo | null {
    const { plugin } = this.#options;
    if (name !== plugin.name) return null;
    const { version, priority, phases, schema } = plugin;
    return { name, version, priority, phases, schema: JSON.stringify(schema) };
  }

  /** Closes every configuration. @param limitMs milliseconds */
  async close(limitMs: number): Promise<void> {
    // Events that Kong has given up over MsgPack:1 end by time only.
    if (lookAtRuntime(this).events > 0) this.clock.jump(this.#options.plugin.phaseTimeout + 1000);
    await this.#registry.closeAll(limitMs);
  }
}
