import type { ContextValues, KongFacts } from '../../pdk/index.ts';
import type { CompiledPlugin, PluginHandlers } from '../../plugin/index.ts';
import type { RunningInstance, StartedInstance } from '../connection/host.ts';
import type { PrefetchLearners } from '../connection/prefetch-learner.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import type { Configuration, Usage } from './configuration.ts';

const closed: PluginHandlers = { phases: {}, close: null };

/** One id of Kong's, with the configuration that it stands for. */
export class InstanceView implements RunningInstance {
  readonly id: number;
  readonly configuration: Configuration;
  readonly plugin: CompiledPlugin;
  readonly config: unknown;
  readonly stats: PluginStats;
  readonly usage: Usage;
  readonly startedAt: number;
  readonly prefetch: PrefetchLearners | null;
  readonly merges: boolean;
  readonly context: ContextValues | undefined;
  readonly facts: KongFacts = { subsystem: null, readsBodyFiles: null };
  /** Sweeps of the registry since the last event. */
  quietSweeps = 0;
  readonly #raw: unknown;

  constructor(id: number, configuration: Configuration, raw: unknown, stats: PluginStats, startedAt: number) {
    this.id = id;
    this.configuration = configuration;
    this.plugin = configuration.plugin;
    this.config = configuration.config;
    this.stats = stats;
    this.usage = configuration.usage;
    this.startedAt = startedAt;
    this.prefetch = configuration.prefetch;
    this.merges = configuration.merges;
    this.context = configuration.context;
    this.#raw = raw;
  }

  /** True when an event can run at once. */
  get ready(): boolean {
    return this.configuration.handlers !== null;
  }

  get handlers(): PluginHandlers {
    return this.configuration.handlers ?? closed;
  }

  get described(): StartedInstance {
    return { id: this.id, name: this.plugin.name, config: this.#raw, startedAt: this.startedAt };
  }
}
