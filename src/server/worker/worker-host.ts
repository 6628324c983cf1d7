import { BodyFiles } from '../connection/body-file.ts';
import { EventRelay } from '../connection/event-relay.ts';
import { steadyClock } from '../../base/clock.ts';
import type {
  AskedStart,
  ConnectionHost,
  ForwardedAnswer,
  ForwardedStep,
  RunningInstance,
  StartedInstance,
} from '../connection/index.ts';
import type { OpenRequests } from '../in-flight/open-requests.ts';
import type { InFlightRegister } from '../in-flight/register.ts';
import { describeUnread, InstanceRegistry } from '../instances/index.ts';
import type { Withheld } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import { createPluginStats } from '../metrics/phase-stats.ts';
import { PluginMetricsStore } from '../metrics/plugin-metrics.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { PhaseChannel } from '../../pdk/index.ts';
import { createKong } from '../../pdk/index.ts';
import type { CompiledPlugin, InstanceInfo } from '../../plugin/index.ts';
import type { PluginInfo } from '../../wire/protobuf/index.ts';
import type { HooksLink } from './hooks-link.ts';
import { readyInTime } from './in-time.ts';
import type { WorkerLink } from './link.ts';
import type { PluginSet } from './plugin-set.ts';
import { pluginDataDir } from './setup-context.ts';

export interface WorkerHostOptions {
  readonly options: CompiledServerOptions;
  readonly slot: number;
  readonly count: number;
  readonly uid: number;
  readonly link: WorkerLink;
  readonly log: ServerLog;
  readonly plugins: PluginSet;
  readonly hooks: HooksLink;
  readonly inFlight: InFlightRegister;
  readonly openRequests: OpenRequests;
}

/** Reads a body from its file up to the size that Kong could also have sent in one message. */
function bodyFilesOf({ bodyFolders, maxFrameBytes }: CompiledServerOptions): BodyFiles | null {
  return bodyFolders.length === 0 ? null : new BodyFiles({ folders: bodyFolders, maxBytes: maxFrameBytes });
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** What connections need of their worker: plugins, instances, counters. */
export class WorkerHost implements ConnectionHost {
  readonly maxFrameBytes: number;
  readonly workerIndex: number;
  readonly log: ServerLog;
  readonly clock = steadyClock;
  readonly bodyFiles: BodyFiles | null;
  readonly inFlight: InFlightRegister;
  readonly openRequests: OpenRequests;
  readonly pluginMetrics = new PluginMetricsStore();
  /** Counters by plugin. */
  readonly stats: Record<string, PluginStats> = {};
  readonly forwardStep?: (owner: number, step: ForwardedStep) => Promise<ForwardedAnswer>;
  /** This worker is about to end, and nobody of its server goes on. */
  ends = false;
  readonly #relay: EventRelay;
  readonly #start: WorkerHostOptions;
  readonly #registry: InstanceRegistry;

  constructor(start: WorkerHostOptions) {
    this.#start = start;
    this.maxFrameBytes = start.options.maxFrameBytes;
    this.bodyFiles = bodyFilesOf(start.options);
    this.workerIndex = start.uid;
    this.log = start.log;
    this.inFlight = start.inFlight;
    this.openRequests = start.openRequests;
    this.#relay = new EventRelay(
      start.options.sockets.map(({ path }) => path),
      start.options.maxFrameBytes,
    );
    if (start.link.forwardStep !== null) this.forwardStep = start.link.forwardStep;
    this.#registry = new InstanceRegistry({
      clock: steadyClock,
      log: start.log,
      idleMs: start.options.idleTimeoutMs,
      prefetch: start.options.prefetch,
      merge: start.options.merge,
      readsInLog: () => start.plugins.readsInLog,
      plugin: (name) => this.#plugin(name),
      stats: (plugin) => (this.stats[plugin.name] ??= createPluginStats()),
      surroundings: (plugin, info) => this.#surroundings(plugin, info),
      // Where nobody can be told of the id, Kong is answered all the same, and starts anew where the id is not known.
      claim: (record, asked) => start.link.record(record, asked ?? null).catch(() => true),
    });
  }

  /** Instances that this worker has. */
  get instances(): number {
    return this.#registry.size;
  }

  createKong(channel: PhaseChannel): unknown {
    return createKong(channel);
  }

  serves(): boolean {
    return !this.ends;
  }

  relayStep(request: Buffer): Promise<Buffer | null> {
    return this.#relay.ask(request);
  }

  async startInstance(name: string, config: Buffer, asked: AskedStart): Promise<StartedInstance> {
    try {
      return await this.#registry.startAnyway(name, config, asked);
    } finally {
      this.#start.link.started(asked.ticket);
    }
  }

  async closeInstance(id: number): Promise<StartedInstance | null> {
    const described = await this.instanceStatus(id);
    if (described === null) return null;
    this.forget(id);
    this.#start.link.forget(id);
    return described;
  }

  findInstance(id: number): RunningInstance | null | Promise<RunningInstance | null> {
    const found = this.#registry.find(id) ?? this.#adopt(id);
    return found instanceof Promise ? readyInTime(id, found, this.clock) : found;
  }

  instanceStatus(id: number): StartedInstance | null | Promise<StartedInstance | null> {
    return this.#registry.describe(id) ?? this.#describeRecord(id);
  }

  pluginNames(): readonly string[] {
    return this.#start.plugins.plugins.map(({ name }) => name);
  }

  pluginInfo(name: string): PluginInfo | null {
    const plugin = this.#start.plugins.get(name);
    if (plugin === null) return null;
    const { version, priority, phases, schema } = plugin;
    return { name, version, priority, phases, schema: JSON.stringify(schema) };
  }

  /** Kong has closed the instance. Its configuration closes once its events have ended. */
  forget(id: number): void {
    this.#registry.forget(id)?.catch((error: unknown) => {
      this.log.error('a configuration did not close', { instance: id, reason: String(error) });
    });
  }

  /** Log events of a configuration end without running for a while, or it is not set up. */
  withhold({ name, config, until, what }: Withheld): void {
    // A plugin that does not load has no events.
    this.#registry.withhold(name, bytesOf(config), until, what).catch(() => undefined);
  }

  /** Closes every configuration, so that plugins can flush. */
  async close(limit: number): Promise<void> {
    await this.#registry.closeAll(limit);
  }

  /** An instance that was started on another worker, or before this one. */
  async #adopt(id: number): Promise<RunningInstance | null> {
    const record = await this.#start.link.find(id);
    if (record === null) return null;
    return this.#registry.adopt(id, record.name, bytesOf(record.config), record.startedAt);
  }

  /** To tell of an instance that does not run here, or to close it, nothing has to be set up. */
  async #describeRecord(id: number): Promise<StartedInstance | null> {
    const record = await this.#start.link.find(id);
    return record === null ? null : describeUnread(id, record.name, bytesOf(record.config), record.startedAt);
  }

  /**
   * The plugin, once it has loaded and can publish events.
   * @throws KongTsError PLUGIN_LOAD_FAILED, PLUGIN_NOT_FOUND
   */
  async #plugin(name: string): Promise<CompiledPlugin> {
    const plugin = await this.#start.plugins.find(name);
    await this.#start.hooks.ready();
    return plugin;
  }

  #surroundings(plugin: CompiledPlugin, info: InstanceInfo) {
    const { options, slot, count } = this.#start;
    const metrics = this.pluginMetrics.of(plugin.name, info.pluginId ?? '');
    return {
      log: this.log.child({ plugin: plugin.name, ...(info.pluginId === null ? {} : { id: info.pluginId }) }),
      metrics,
      dataDir: pluginDataDir(options.dataDir, plugin.name),
      worker: { index: slot, count },
      release: () => {
        metrics.close();
      },
    };
  }
}
