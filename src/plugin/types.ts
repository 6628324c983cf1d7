import type { PhaseChannel } from '../pdk/index.ts';
import type { Phase, Protocol } from '../pdk/names/index.ts';

/** Which configuration an instance belongs to; from the `__` fields that Kong adds to a configuration (Kong 3.9.3). */
export interface InstanceInfo {
  /** Id of the plugin entity in Kong (`__plugin_id`), null if Kong sent none. */
  readonly pluginId: string | null;
  /** Id of the workspace (`__ws_id`). */
  readonly workspaceId: string | null;
  readonly routeId: string | null;
  readonly serviceId: string | null;
  readonly consumerId: string | null;
  /** Kong's configuration sequence (`__seq__`): a higher one replaces a lower one of the same plugin id. */
  readonly seq: number | null;
  /** Kong's cache key of the plugin entity (`__key__`). */
  readonly key: string | null;
}

/** A logger for a plugin's own lines, at Kong's levels; they go to the server's standard output as JSON. */
export interface PluginLog {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  notice(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** A counter that only goes up. Labels must be among the names given at its creation. */
export interface Counter {
  add(value?: number, labels?: Record<string, string>): void;
}
export interface Gauge {
  set(value: number, labels?: Record<string, string>): void;
}
export interface Histogram {
  /** Observes a value in the unit that the metric's name ends with (seconds, bytes). */
  observe(value: number, labels?: Record<string, string>): void;
}
export interface MetricOptions {
  help: string;
  labels?: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[];
}

/** Metrics of a plugin, exposed at the server's `/metrics` with the labels `plugin` and `instance` added. */
export interface PluginMetrics {
  counter(name: string, options: MetricOptions): Counter;
  gauge(name: string, options: MetricOptions & { collect?: () => number }): Gauge;
  histogram(name: string, options: MetricOptions): Histogram;
}

/** The argument of `setup`, which runs once per plugin configuration and worker. */
export interface SetupContext<Config> {
  readonly config: Config;
  readonly instance: InstanceInfo;
  readonly log: PluginLog;
  readonly metrics: PluginMetrics;
  /** A folder of this plugin's own under the server's `--data-dir`, null when the server has none. Exists. */
  readonly dataDir: string | null;
  /** Which worker this is: `0` to `workerCount - 1`. Several workers set the same configuration up side by side. */
  readonly worker: { readonly index: number; readonly count: number };
}

/** A handler as the server runs it; typed by phase for authors in definePlugin. */
export type PhaseHandler = (kong: unknown, config: unknown) => unknown;

export interface PluginHandlers {
  readonly phases: Partial<Record<Phase, PhaseHandler>>;
  /** Called once when the configuration is given up (replaced, idle, server stopping). May be asynchronous. */
  readonly close: (() => unknown) | null;
}

/** A configuration schema in Kong's own language: what `fields` of a dump's Schema holds. */
export type KongField = Record<string, Record<string, unknown>>;
export interface KongSchema {
  name: string;
  fields: KongField[];
  entity_checks?: unknown[];
}

/** A plugin ready to be served: what definePlugin and the kong-pdk compatibility layer both produce. */
export interface CompiledPlugin {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly protocol: Protocol;
  /** The phases it has handlers for; what its dump announces. */
  readonly phases: readonly Phase[];
  readonly schema: KongSchema;
  /** What happens to the request when a handler throws or times out. */
  readonly onError: 'fail' | 'continue';
  /** How long one phase may run, in milliseconds. */
  readonly phaseTimeout: number;
  /** False: Kong is never asked for anything before a handler does. Default true. */
  readonly prefetch?: boolean;
  /** False: each call is made by itself. Default true. */
  readonly merge?: boolean;
  /** Names of values that others leave and the log handler reads; see PluginBase. Default: none. */
  readonly readsInLog?: readonly string[];
  /** Environment variables that the plugin reads; see PluginBase. */
  readonly environment?: readonly string[];
  /**
   * Validates the configuration that Kong sent (without the `__` fields and scope ids).
   * @throws KongTsError CONFIG_INVALID naming each field and what is wrong with it
   */
  parseConfig(raw: unknown): unknown;
  /**
   * Makes the `kong` that handlers get, in place of the PDK's own. Only plugins written for kong-pdk have it: their
   * PDK calls functions by name, without checks, and answers undefined for what is absent.
   */
  readonly bindKong?: (channel: PhaseChannel) => unknown;
  /** Builds the handlers for one configuration. Rejects when the plugin's setup does. */
  setup(context: SetupContext<unknown>): Promise<PluginHandlers>;
}
