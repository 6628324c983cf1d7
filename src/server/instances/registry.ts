import { randomInt } from 'node:crypto';
import { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import type { CompiledPlugin, InstanceInfo } from '../../plugin/index.ts';
import { brokenInstance } from '../connection/broken-instance.ts';
import type { SteadyClock } from '../../base/clock.ts';
import type { AskedStart, RunningInstance, StartedInstance } from '../connection/host.ts';
import type { ServerLog } from '../log/types.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import { BrokenStart, BrokenStarts, brokenLine, describeUnread } from './broken-starts.ts';
import { PrefetchLearners } from '../connection/prefetch-learner.ts';
import { Configuration } from './configuration.ts';
import type { CallOptions, SetupSurroundings } from './configuration.ts';
import { parseConfiguration } from './configuration-text.ts';
import { ContextNames } from './context-names.ts';
import { InstanceView } from './instance-view.ts';

/** Ids are int32 and more than 0. */
const maxId = 2 ** 31 - 1;
/** An idle configuration gives up its state after this many milliseconds without an event: one hour. */
export const defaultIdleMs = 3_600_000;
/** How often the registry looks at its use within the idle time. */
const sweeps = 4;
/**
 * An instance without an event for this many idle times is forgotten: Kong does not tell when a plugin is deleted
 * (measured on Kong 3.9.3), and starts an instance again that is not known.
 */
const forgetAfter = 24;
/**
 * How long Kong waits for the id of an instance at most, in milliseconds. While one request starts an instance, all
 * others of its configuration wait for 10 s (read in Kong 3.4 to 3.9). Then Kong answers 500 over ProtoBuf:1 or goes on
 * without the plugin over MsgPack:1, and raises in its log phase. So Kong gets the id before that, and events wait for
 * the rest.
 */
export const startLimitMs = 5000;
/** How many ids are remembered, so that none is given out twice. Beyond that number, only chance keeps ids apart. */
const maxRememberedIds = 100_000;

/** An instance as the supervisor remembers it. */
export interface InstanceRecordLike {
  readonly id: number;
  readonly name: string;
  /** The configuration as Kong sent it. */
  readonly config: Buffer;
  /** Seconds since 1970. */
  readonly startedAt: number;
}

export interface RegistryOptions {
  readonly clock: SteadyClock;
  readonly log: ServerLog;
  /** The plugin of that name; null or a promise of null when there is none. May wait for plugins to load. */
  plugin(name: string): CompiledPlugin | null | Promise<CompiledPlugin | null>;
  /** The counters of a plugin's events. */
  stats(plugin: CompiledPlugin): PluginStats;
  /** What a setup is given besides its configuration. */
  surroundings(plugin: CompiledPlugin, info: InstanceInfo): SetupSurroundings;
  /** Makes an id known to all workers; false when another instance has it. Default: always true. */
  claim?(record: InstanceRecordLike, asked?: AskedStart): Promise<boolean>;
  /** Learn what handlers ask for and ask for it ahead, where plugins allow it. Default: false. */
  readonly prefetch?: boolean;
  /** Make one call of several, where plugins allow it. Default: false. */
  readonly merge?: boolean;
  /** Whether a plugin has a log handler, which may ask for what others set in a request's context. Default: none has. */
  readsInLog?(): boolean;
  /** Milliseconds without an event after which a configuration is closed. Default: one hour. */
  readonly idleMs?: number;
  /** Milliseconds since 1970. Default: `Date.now`. */
  wallClock?(): number;
  /** A random id from 1 to 2^31 - 1; for tests. */
  randomId?(): number;
}

/**
 * The instances of one worker. Kong starts one for each of its own workers and configurations; those of the same
 * configuration share one setup. An id stays valid until Kong closes it, also while its configuration is idle.
 */
export class InstanceRegistry {
  readonly #options: RegistryOptions;
  readonly #instances = new Map<number, InstanceView>();
  readonly #broken = new BrokenStarts();
  readonly #contextNames: ContextNames;
  readonly #adopting = new Map<number, Promise<RunningInstance>>();
  readonly #configurations = new Map<string, Configuration>();
  /** Identities of configurations whose log events do not run for a while. */
  readonly #withheld = new Set<string>();
  /** Identities of configurations that are not set up for a while. */
  readonly #barred = new Set<string>();
  /** Ids that were given out here, the latest ones: none of them is given out twice. */
  readonly #given = new Set<number>();
  #stopSweeps: (() => void) | null = null;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#contextNames = new ContextNames(() => options.readsInLog?.() === true, options.log);
  }

  /** Instances that Kong may use. */
  get size(): number {
    return this.#instances.size;
  }

  /** Configurations and what state they are in. */
  get configurations(): Iterable<Configuration> {
    return this.#configurations.values();
  }

  /**
   * As `start`, for a Kong that must not be refused. A refusal raises in Kong. In its log phase, the request is then
   * left behind for handlers of later requests to read (measured on Kong 3.9.3). If a configuration cannot be started,
   * the result is an instance whose events fail with the reason. An event after a pause tries it again. A start that
   * takes longer than startLimitMs goes on, and the instance's events wait for it.
   * @param asked goes with the claim of the id, which comes first: if this process ends, another one can answer with it
   */
  async startAnyway(name: string, config: Buffer, asked?: AskedStart): Promise<StartedInstance> {
    // What is read after the answer may take the memory of the configuration.
    const kept = Buffer.from(config);
    for (;;) {
      const id = this.#newId();
      const startedAt = this.#seconds();
      const record = { id, name, config: kept, startedAt };
      if (this.#options.claim !== undefined && !(await this.#options.claim(record, asked))) continue;
      await this.#within(startLimitMs, this.adopt(id, name, kept, startedAt));
      return this.describe(id) ?? describeUnread(id, name, kept, startedAt);
    }
  }

  /**
   * Starts an instance from Kong's JSON: validates the configuration, runs the setup unless another instance of the
   * same configuration has, and claims an id.
   * @throws KongTsError PLUGIN_NOT_FOUND, CONFIG_INVALID, SETUP_FAILED
   */
  async start(name: string, config: Buffer): Promise<StartedInstance> {
    const bytes = config.subarray();
    for (;;) {
      const id = this.#newId();
      const view = await this.#create(id, name, bytes);
      const { startedAt } = view;
      const claimed =
        this.#options.claim === undefined || (await this.#options.claim({ id, name, config, startedAt }));
      if (claimed) return view.described;
      await this.forget(id);
    }
  }

  /**
   * Takes on an instance that was started elsewhere, or before a crash. If it cannot be set up here, its events fail
   * with the reason.
   */
  async adopt(id: number, name: string, config: Buffer, startedAt?: number): Promise<RunningInstance> {
    const known = this.find(id);
    if (known !== null) return known;
    let adopting = this.#adopting.get(id);
    if (adopting === undefined) {
      adopting = this.#create(id, name, config, startedAt)
        .catch(async (error: unknown) => (await this.#break(id, name, config, error, startedAt)).instance)
        .finally(() => this.#adopting.delete(id));
      this.#adopting.set(id, adopting);
    }
    return adopting;
  }

  /** Keeps an instance that could not be made. */
  async #break(
    id: number,
    name: string,
    config: Buffer,
    reason: unknown,
    startedAt = this.#seconds(),
  ): Promise<BrokenStart> {
    this.#options.log.error(brokenLine(name, reason), {
      plugin: name,
      instance: id,
      code: reason instanceof KongTsError ? reason.code : null,
    });
    const plugin = await Promise.resolve(this.#options.plugin(name)).catch(() => null);
    const stats = plugin === null ? null : this.#options.stats(plugin);
    // The decoder may use its memory again.
    const kept = Buffer.from(config);
    const described = describeUnread(id, name, kept, startedAt);
    const broken = new BrokenStart(described, kept, this.#options.clock.now(), reason, plugin, stats);
    this.#broken.add(broken);
    return broken;
  }

  #findBroken(id: number): RunningInstance | null | Promise<RunningInstance> {
    const broken = this.#broken.get(id);
    if (broken === undefined) return null;
    return broken.isDue(this.#options.clock.now()) ? this.#retry(id, broken) : broken.instance;
  }

  #retry(id: number, broken: BrokenStart): Promise<RunningInstance> {
    const { name, config, described } = broken;
    broken.retrying ??= this.#create(id, name, config, described.startedAt)
      .then(
        async (view) => {
          // Kong may have closed it meanwhile.
          if (!this.#broken.delete(id)) await this.forget(id);
          this.#options.log.notice(`The instance of ${name} runs now.`, { plugin: name, instance: id });
          return view;
        },
        (error: unknown) => {
          broken.failedAgain(this.#options.clock.now(), error);
          return broken.instance;
        },
      )
      .finally(() => {
        broken.retrying = null;
      });
    return broken.retrying;
  }

  /**
   * An instance that can run events; a promise while its configuration sets up (again). Null when the id is unknown
   * here. When the setup fails, it is an instance whose events fail with SETUP_FAILED.
   */
  find(id: number): RunningInstance | null | Promise<RunningInstance> {
    const view = this.#instances.get(id);
    if (view === undefined) return this.#adopting.get(id) ?? this.#findBroken(id);
    view.usage.used = true;
    view.quietSweeps = 0;
    if (view.ready) return view;
    return view.configuration.prepare().then(
      () => view,
      (error: unknown) => brokenInstance(id, error, view.plugin, view.stats),
    );
  }

  /** What is told to Kong about an instance, null when the id is unknown here. */
  describe(id: number): StartedInstance | null {
    return this.#instances.get(id)?.described ?? this.#broken.get(id)?.described ?? null;
  }

  /**
   * Kong has closed the instance. The configuration closes with its last instance, once its events have ended. The
   * promise waits for that. Null when the id is unknown here.
   */
  forget(id: number): Promise<void> | null {
    const view = this.#instances.get(id);
    if (view === undefined) {
      const starting = this.#adopting.get(id);
      if (starting !== undefined) return starting.then(async () => void (await this.forget(id)));
      return this.#broken.delete(id) ? Promise.resolve() : null;
    }
    this.#instances.delete(id);
    const { configuration } = view;
    if (--configuration.instances > 0) return Promise.resolve();
    this.#drop(configuration);
    return configuration.close();
  }

  /**
   * Closes every configuration; resolves when all are closed or the time is over.
   * @param limitMs how long that may take
   */
  async closeAll(limitMs: number): Promise<void> {
    this.#sweepNoMore();
    const closing = Promise.all([...this.#configurations.values()].map((each) => each.close()));
    this.#instances.clear();
    this.#broken.clear();
    this.#configurations.clear();
    await this.#within(limitMs, closing);
  }

  /** Waits for work, but no longer than this many milliseconds. */
  async #within(limitMs: number, work: Promise<unknown>): Promise<void> {
    let stop = () => {};
    const over = new Promise<void>((resolve) => {
      stop = this.#options.clock.every(Math.max(1, limitMs), resolve);
    });
    try {
      await Promise.race([work, over]);
    } finally {
      stop();
    }
  }

  async #create(id: number, name: string, bytes: Buffer, startedAt?: number): Promise<InstanceView> {
    const plugin = await this.#options.plugin(name);
    if (plugin === null) {
      throw new KongTsError('PLUGIN_NOT_FOUND', `No plugin named ${name} is served here.`, {
        fix: 'Name it on the command line of kong-ts serve, and give the same name to Kong.',
      });
    }
    const parsed = parseConfiguration(plugin, bytes);
    let configuration = this.#configurations.get(parsed.identity);
    if (configuration === undefined) {
      configuration = new Configuration(
        parsed.identity,
        plugin,
        parsed.info,
        plugin.parseConfig(parsed.config),
        () => this.#options.surroundings(plugin, parsed.info),
        this.#options.log,
        this.#options.clock,
        () => this.#withheld.has(parsed.identity),
        this.#callOptions(plugin),
      );
      this.#configurations.set(parsed.identity, configuration);
      this.#sweepFromNowOn();
    }
    configuration.instances++;
    try {
      if (this.#barred.has(parsed.identity) && configuration.state !== 'ready') throw barred(name);
      await configuration.prepare();
    } catch (error) {
      if (--configuration.instances === 0) this.#drop(configuration);
      throw error;
    }
    const seconds = startedAt ?? this.#seconds();
    const view = new InstanceView(id, configuration, parsed.raw, this.#options.stats(plugin), seconds);
    this.#instances.set(id, view);
    return view;
  }

  /**
   * Workers have died with a configuration. Until this time, the registry ends its log events as failures without
   * running them, or does not set it up.
   * @param until milliseconds since 1970
   * @throws KongTsError CONFIG_INVALID, and what the plugin's loading throws
   */
  async withhold(name: string, config: Buffer, until: number, what: 'log' | 'setup'): Promise<void> {
    const plugin = await this.#options.plugin(name);
    if (plugin === null) return;
    const { identity } = parseConfiguration(plugin, config);
    const time = until - (this.#options.wallClock?.() ?? Date.now());
    if (time <= 0) return;
    const identities = what === 'log' ? this.#withheld : this.#barred;
    identities.add(identity);
    const stop = this.#options.clock.every(time, () => {
      stop();
      identities.delete(identity);
    });
  }

  #seconds(): number {
    return Math.floor((this.#options.wallClock?.() ?? Date.now()) / 1000);
  }

  #drop(configuration: Configuration): void {
    this.#configurations.delete(configuration.identity);
    if (this.#configurations.size === 0) this.#sweepNoMore();
  }

  #newId(): number {
    for (;;) {
      const id = this.#options.randomId?.() ?? randomInt(1, maxId + 1);
      if (this.#given.has(id) || this.#instances.has(id)) continue;
      this.#given.add(id);
      if (this.#given.size > maxRememberedIds) {
        for (const oldest of this.#given) {
          this.#given.delete(oldest);
          break;
        }
      }
      return id;
    }
  }

  /** Over MsgPack:1 Kong takes one call at a time: what is learned there is of use for merging alone. */
  #callOptions(plugin: CompiledPlugin): CallOptions {
    const merges = this.#options.merge === true && plugin.merge !== false;
    const ahead = plugin.protocol === 'protobuf';
    const learns = this.#options.prefetch === true && plugin.prefetch !== false && (ahead || merges);
    const context = this.#contextNames.of(plugin);
    return { merges, prefetch: learns ? new PrefetchLearners({ merges, ahead }) : null, context };
  }

  #sweepFromNowOn(): void {
    const idleMs = this.#options.idleMs ?? defaultIdleMs;
    this.#stopSweeps ??= this.#options.clock.every(idleMs / sweeps, () => this.#sweep());
  }

  #sweepNoMore(): void {
    this.#stopSweeps?.();
    this.#stopSweeps = null;
  }

  #sweep(): void {
    for (const configuration of this.#configurations.values()) {
      const { usage } = configuration;
      if (usage.used || usage.events > 0) {
        usage.used = false;
        configuration.quietSweeps = 0;
      } else if (++configuration.quietSweeps >= sweeps && configuration.state === 'ready') {
        void configuration.close();
      }
    }
    for (const view of this.#instances.values()) {
      if (++view.quietSweeps > sweeps * forgetAfter) void this.forget(view.id);
    }
  }
}

function barred(name: string): KongTsError {
  const text = `A worker has died in the setup of plugin ${name} with this configuration: it is not tried for a while.`;
  return new KongTsError('SETUP_FAILED', text);
}
