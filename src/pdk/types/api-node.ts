import type { LogRecord } from './log-record.ts';
import type { JsonValue, MemoryStats, NginxStatistics, VaultReference } from './values.ts';

/** `kong.log`: Kong's error log, and the record of the request. Called itself, it writes at level `notice`. */
export interface LogApi {
  alert(...values: unknown[]): Promise<void>;
  crit(...values: unknown[]): Promise<void>;
  err(...values: unknown[]): Promise<void>;
  warn(...values: unknown[]): Promise<void>;
  notice(...values: unknown[]): Promise<void>;
  info(...values: unknown[]): Promise<void>;
  debug(...values: unknown[]): Promise<void>;
  deprecation(...values: unknown[]): Promise<void>;
  /**
   * Adds a value to the log record. In the log phase it comes too late (measured on Kong 3.9.3).
   * @param key dots make nested objects
   * @param options over MsgPack:1 only: `add` keeps a value that is there, `replace` needs one
   */
  setSerializeValue(
    key: string,
    value: JsonValue,
    options?: { mode?: 'set' | 'add' | 'replace' },
  ): Promise<void>;
  /** The log record of the request. */
  serialize(): Promise<LogRecord>;
  /** The log record as the JSON text that Kong made, not parsed. */
  serializeRaw(): Promise<string>;
}

/** `kong.nginx`. */
export interface NginxApi {
  /** An nginx variable, null when it is absent or empty. */
  getVar(name: string): Promise<string | null>;
  /** Such as `TLSv1.3`, null without TLS. */
  getTls1VersionStr(): Promise<string | null>;
  /** A value in the request's context, which Kong itself uses. */
  setCtx(key: string, value: JsonValue): Promise<void>;
  getCtx(key: string): Promise<JsonValue>;
  /** Seconds since the epoch, with milliseconds. */
  reqStartTime(): Promise<number>;
  getSubsystem(): Promise<'http' | 'stream'>;
  getStatistics(): Promise<NginxStatistics>;
}

/** `kong.ctx.shared`: values that plugins share for one request. */
export interface SharedApi {
  /** null when nobody set the key. */
  get(key: string): Promise<JsonValue>;
  /** null removes the key. ProtoBuf:1 cannot carry `false`; Lua has no null inside an array. */
  set(key: string, value: JsonValue): Promise<void>;
}

/** `kong.node`. */
export interface NodeApi {
  /** A UUID. */
  getId(): Promise<string>;
  /** @param unit over MsgPack:1 only; values are text then, with `scale` (default 2) decimal places */
  getMemoryStats(unit?: 'b' | 'k' | 'm' | 'g', scale?: number): Promise<MemoryStats>;
  getHostname(): Promise<string>;
}

/** `kong.cluster`. */
export interface ClusterApi {
  /** null without a database. */
  getId(): Promise<string | null>;
}

/** `kong.plugin`. */
export interface PluginApi {
  /** The id of the plugin entity whose configuration runs. */
  getId(): Promise<string | null>;
}

/** `kong.telemetry`. */
export interface TelemetryApi {
  /** Does nothing where the OpenTelemetry plugin does not record logs. */
  log(
    pluginName: string,
    pluginConfig: Readonly<Record<string, JsonValue>>,
    messageType: string,
    message?: string,
    attributes?: Readonly<Record<string, JsonValue>>,
  ): Promise<void>;
}

/** `kong.vault`. */
export interface VaultApi {
  isReference(reference: string): Promise<boolean>;
  /** null when the reference cannot be resolved. */
  get(reference: string): Promise<string | null>;
  /** null when the text is no reference. */
  parseReference(reference: string): Promise<VaultReference | null>;
}
