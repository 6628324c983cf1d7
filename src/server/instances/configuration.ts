import { KongTsError, messageOf } from '../../base/errors.ts';
import type { ContextValues } from '../../pdk/index.ts';
import type { CompiledPlugin, InstanceInfo, PluginHandlers, SetupContext } from '../../plugin/index.ts';
import type { SteadyClock } from '../../base/clock.ts';
import type { PrefetchLearners } from '../connection/prefetch-learner.ts';
import type { ServerLog } from '../log/types.ts';

/**
 * How long a setup may take, in milliseconds, together with the close of what was there before it. Kong gives events up
 * after 60 seconds and its clients wait until then.
 */
export const setupLimitMs = 30_000;

/** What a setup gets besides its configuration, and what happens when the setup is given up. */
export interface SetupSurroundings extends Omit<SetupContext<unknown>, 'config' | 'instance'> {
  /** Called after `close`, to give up what the surroundings hold. */
  release?(): void;
}

/** Counts the events that run on a configuration, so that it is not closed under them. */
export interface Usage {
  events: number;
  /** Set by the owner: called when the last event has ended. */
  whenIdle: (() => void) | null;
  /** Set by every event, cleared by the owner's sweeps. */
  used: boolean;
}

/** Runs in place of a log handler that workers have died with. */
function withheldLog(): never {
  throw new KongTsError(
    'LOG_WITHHELD',
    'Workers have died with log events of this configuration on them: this one has not run.',
  );
}

export type ConfigurationState = 'idle' | 'setting-up' | 'ready' | 'closing';

/** How calls of a configuration's events leave. */
export interface CallOptions {
  readonly prefetch: PrefetchLearners | null;
  readonly merges: boolean;
  /** What is known of values in the context of requests. Default: nothing is kept for the log phase. */
  readonly context?: ContextValues;
}

/**
 * The state of one configuration: `setup` runs once, all instances share what it returned. An idle configuration has
 * given its state up and sets up again when it is needed.
 */
export class Configuration {
  readonly identity: string;
  readonly plugin: CompiledPlugin;
  readonly info: InstanceInfo;
  readonly config: unknown;
  /** What is learned about its handlers; null where nothing is asked for ahead. */
  readonly prefetch: PrefetchLearners | null;
  /** Whether calls of its events are merged. */
  readonly merges: boolean;
  readonly context: ContextValues | undefined;
  readonly usage: Usage = { events: 0, whenIdle: null, used: true };
  /** Instances that stand for this configuration. */
  instances = 0;
  /** Sweeps that have found no event since the last one. */
  quietSweeps = 0;
  #handlers: PluginHandlers | null = null;
  #setup: Promise<PluginHandlers> | null = null;
  #closing: Promise<void> | null = null;
  #surroundings: SetupSurroundings | null = null;
  readonly #surround: () => SetupSurroundings;
  readonly #log: ServerLog;
  readonly #clock: SteadyClock;
  readonly #logWithheld: () => boolean;

  constructor(
    identity: string,
    plugin: CompiledPlugin,
    info: InstanceInfo,
    config: unknown,
    surround: () => SetupSurroundings,
    log: ServerLog,
    clock: SteadyClock,
    logWithheld: () => boolean = () => false,
    calls: CallOptions = { prefetch: null, merges: false },
  ) {
    this.prefetch = calls.prefetch;
    this.merges = calls.merges;
    this.context = calls.context;
    this.identity = identity;
    this.plugin = plugin;
    this.info = info;
    this.config = config;
    this.#surround = surround;
    this.#log = log;
    this.#clock = clock;
    this.#logWithheld = logWithheld;
  }

  get state(): ConfigurationState {
    if (this.#closing !== null) return 'closing';
    if (this.#handlers !== null) return 'ready';
    return this.#setup === null ? 'idle' : 'setting-up';
  }

  /** The handlers when they are ready, null when `prepare` has to be awaited. */
  get handlers(): PluginHandlers | null {
    if (this.#handlers === null || !this.#logWithheld()) return this.#handlers;
    return { ...this.#handlers, phases: { ...this.#handlers.phases, log: withheldLog } };
  }

  /** Sets up unless that is done or under way. @throws KongTsError SETUP_FAILED */
  prepare(): Promise<PluginHandlers> {
    if (this.#handlers !== null) return Promise.resolve(this.#handlers);
    this.#setup ??= this.#run().finally(() => {
      this.#setup = null;
    });
    return this.#setup;
  }

  /** Gives the state up, once no event runs on it. Never rejects: what `close` throws is logged. */
  async close(): Promise<void> {
    if (this.#setup !== null) await this.#setup.catch(() => undefined);
    this.#closing ??= this.#close().finally(() => {
      this.#closing = null;
    });
    await this.#closing;
  }

  /** @throws KongTsError SETUP_FAILED */
  async #run(): Promise<PluginHandlers> {
    let late = false;
    let stop = () => {};
    const limit = new Promise<never>((_resolve, reject) => {
      stop = this.#clock.every(setupLimitMs, () => {
        late = true;
        stop();
        reject(new Error(`it did not finish within ${setupLimitMs / 1000} seconds`));
      });
    });
    const work = this.#setUp(() => late);
    try {
      return await Promise.race([work, limit]);
    } catch (error) {
      work.catch(() => undefined);
      const text = `The setup of plugin ${this.plugin.name} failed: ${messageOf(error)}`;
      throw new KongTsError('SETUP_FAILED', text, { cause: error });
    } finally {
      stop();
    }
  }

  /** @param late whether the result comes too late: then it is closed at once */
  async #setUp(late: () => boolean): Promise<PluginHandlers> {
    if (this.#closing !== null) await this.#closing;
    const surroundings = this.#surround();
    try {
      const handlers = await this.plugin.setup({
        config: this.config,
        instance: this.info,
        log: surroundings.log,
        metrics: surroundings.metrics,
        dataDir: surroundings.dataDir,
        worker: surroundings.worker,
      });
      if (late()) {
        await this.#giveUp(handlers, surroundings);
        return handlers;
      }
      this.#surroundings = surroundings;
      this.#handlers = handlers;
      this.usage.used = true;
      this.quietSweeps = 0;
      return handlers;
    } catch (error) {
      surroundings.release?.();
      throw error;
    }
  }

  async #close(): Promise<void> {
    const handlers = this.#handlers;
    this.#handlers = null;
    if (handlers === null) return;
    if (this.usage.events > 0) {
      await new Promise<void>((resolve) => {
        this.usage.whenIdle = resolve;
      });
      this.usage.whenIdle = null;
    }
    const surroundings = this.#surroundings;
    this.#surroundings = null;
    await this.#giveUp(handlers, surroundings);
  }

  /** Gives up what a setup made. Never rejects: what `close` throws is logged. */
  async #giveUp(handlers: PluginHandlers, surroundings: SetupSurroundings | null): Promise<void> {
    try {
      await handlers.close?.();
    } catch (error) {
      this.#log.error(`The close of plugin ${this.plugin.name} failed: ${messageOf(error)}`, {
        plugin: this.plugin.name,
        ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
      });
    }
    surroundings?.release?.();
  }
}
