// Written by `npm run docs` from the rows of the catalogue; change those.
import type { LogRecord } from './log-record.ts';
import type { JsonValue, MemoryStats, NginxStatistics, VaultReference } from './values.ts';

/** `kong.log`: Kong's error log, and the record of the request. Called itself, it writes at level `notice`. */
export interface LogApi {
  /**
   * Writes a line to Kong's error log at level `alert`. Values are joined; objects are written as JSON.
   * @param values any value
   */
  alert(...values: unknown[]): Promise<void>;
  /**
   * Writes a line to Kong's error log at level `crit`. Values are joined; objects are written as JSON.
   * @param values any value
   */
  crit(...values: unknown[]): Promise<void>;
  /**
   * Writes a line to Kong's error log at level `err`. Values are joined; objects are written as JSON.
   * @param values any value
   */
  err(...values: unknown[]): Promise<void>;
  /**
   * Writes a line to Kong's error log at level `warn`. Values are joined; objects are written as JSON.
   * @param values any value
   */
  warn(...values: unknown[]): Promise<void>;
  /**
   * Writes a line to Kong's error log at level `notice`. Values are joined; objects are written as JSON.
   * @param values any value
   */
  notice(...values: unknown[]): Promise<void>;
  /**
   * Writes a line to Kong's error log at level `info`. Values are joined; objects are written as JSON.
   * @param values any value
   */
  info(...values: unknown[]): Promise<void>;
  /**
   * Writes a line to Kong's error log at level `debug`. Values are joined; objects are written as JSON.
   * @param values any value
   */
  debug(...values: unknown[]): Promise<void>;
  /**
   * Writes a deprecation notice, where Kong's log level and configuration show them.
   * @param values any value
   */
  deprecation(...values: unknown[]): Promise<void>;
  /**
   * Adds a value to what serialize gives in the log phase; dots in the key make nested objects. In the log phase
   * itself it comes too late (Kong 3.9.3).
   * @param key a string, and no key below a field of the record that is not an object
   * @param value a JSON value
   * @param options { mode: 'set' | 'add' | 'replace' }; over ProtoBuf:1 'set' only
   */
  setSerializeValue(
    key: string,
    value: JsonValue,
    options?: { mode?: 'set' | 'add' | 'replace' },
  ): Promise<void>;
  /** The log record of the request, parsed. `kong.log.serializeRaw()` gives the JSON text unparsed. */
  serialize(): Promise<LogRecord>;
  /**
   * The log record as the JSON text that Kong made, not parsed.
   * `last: true` says that the handler asks Kong for nothing after it: the event ends with this call over
   * ProtoBuf:1, which saves Kong a turn. Later calls reject with PDK_EVENT_ENDED.
   */
  serializeRaw(options?: { readonly last?: boolean }): Promise<string>;
}

/** `kong.nginx`: what nginx knows of the request. */
export interface NginxApi {
  /**
   * An nginx variable, null when it is absent or empty.
   * @param name a string
   */
  getVar(name: string): Promise<string | null>;
  /** The TLS version of the client's connection such as `TLSv1.3`, null without TLS. */
  getTls1VersionStr(): Promise<string | null>;
  /**
   * Sets a value in nginx's context of the request, which Kong itself uses: names that Kong works with, such as
   * `KONG_PHASE`, are refused.
   * @param key a string, and no name that Kong itself works with
   * @param value a JSON value
   */
  setCtx(key: string, value: JsonValue): Promise<void>;
  /**
   * A value from nginx's context of the request, null when it is absent. What Kong keeps there and cannot send
   * (`balancer_data`, `plugins` and others) is refused.
   * What a Lua plugin has left there makes Kong raise if it cannot be sent: over MsgPack:1 a function, userdata, a
   * coroutine; over ProtoBuf:1 a table with keys that are numbers and no list; over both a table that holds itself.
   * In other phases that is a 500.
   * In the log phase it would leave the request behind for handlers of later ones. So there it answers what plugins
   * of the same server have set, null otherwise. Of what Lua plugins and other servers have left, it answers the
   * names that the definition of the plugin lists in readsInLog.
   * For a listed name that Kong has once not answered in the log phase, it rejects with PDK_NOT_IN_PHASE from then
   * on.
   * What a Lua plugin gives to kong.log.set_serialize_value is in kong.log.serialize() and needs no list.
   * Names under which Kong itself keeps a text, a number or a boolean, such as `KONG_PROXY_LATENCY` or `request_id`,
   * need no list either.
   * @param key a string, and no name under which Kong keeps what it cannot send
   */
  getCtx(key: string): Promise<JsonValue>;
  /** When nginx received the request, in seconds since the epoch, with milliseconds. */
  reqStartTime(): Promise<number>;
  /** Which part of nginx handles the traffic: 'http' or 'stream'. */
  getSubsystem(): Promise<'http' | 'stream'>;
  /** nginx's counters of connections and requests. */
  getStatistics(): Promise<NginxStatistics>;
}

/** `kong.ctx.shared`: values that plugins share for one request. */
export interface SharedApi {
  /**
   * A value that a plugin shared for this request, null when it is absent.
   * What a Lua plugin has left there makes Kong raise if it cannot be sent: over MsgPack:1 a function, userdata, a
   * coroutine; over ProtoBuf:1 a table with keys that are numbers and no list; over both a table that holds itself.
   * In other phases that is a 500.
   * In the log phase it would leave the request behind for handlers of later ones. So there it answers what plugins
   * of the same server have set, null otherwise. Of what Lua plugins and other servers have left, it answers the
   * names that the definition of the plugin lists in readsInLog.
   * For a listed name that Kong has once not answered in the log phase, it rejects with PDK_NOT_IN_PHASE from then
   * on.
   * What a Lua plugin gives to kong.log.set_serialize_value is in kong.log.serialize() and needs no list.
   * @param key a string
   */
  get(key: string): Promise<JsonValue>;
  /**
   * Shares a JSON-like value with the later phases and the other plugins of this request. ProtoBuf:1 cannot carry
   * `false`; Lua has no null inside an array. An empty array and an empty object are one and the same in Lua:
   * ProtoBuf:1 reads either as `{}`, MsgPack:1 as `[]`.
   * @param key a string
   * @param value a JSON value
   */
  set(key: string, value: JsonValue): Promise<void>;
}

/** `kong.node`: this Kong. */
export interface NodeApi {
  /** The id of this Kong node, a UUID that a node keeps until it restarts. */
  getId(): Promise<string>;
  /**
   * Memory of Kong's workers and shared dictionaries, in bytes. A unit can be asked for over MsgPack:1 only;
   * ProtoBuf:1 carries two of the dictionaries.
   * With a unit the values are text, with `scale` (default 2) decimal places.
   * @param unit 'b', 'k', 'm' or 'g'; over ProtoBuf:1 'b' only
   * @param scale an integer from 0 to 2147483647
   */
  getMemoryStats(unit?: 'b' | 'k' | 'm' | 'g', scale?: number): Promise<MemoryStats>;
  /** The name of the host that Kong runs on. */
  getHostname(): Promise<string>;
}

/** `kong.cluster`: Kong's cluster. */
export interface ClusterApi {
  /** The id of Kong's cluster, null without a database. */
  getId(): Promise<string | null>;
}

/** `kong.plugin`: the plugin that runs. */
export interface PluginApi {
  /** The id of the plugin entity whose configuration runs. `setup` has it too, over both protocols. */
  getId(): Promise<string | null>;
}

/** `kong.telemetry`: entries for OpenTelemetry. */
export interface TelemetryApi {
  /**
   * Records a log entry for the OpenTelemetry plugin, where that one is switched on.
   * Kong 3.8 and later.
   * @param pluginName a string
   * @param pluginConfig a JSON value
   * @param messageType a string
   * @param message a string
   * @param attributes a JSON value
   */
  log(
    pluginName: string,
    pluginConfig: Readonly<Record<string, JsonValue>>,
    messageType: string,
    message?: string,
    attributes?: Readonly<Record<string, JsonValue>>,
  ): Promise<void>;
}

/** `kong.vault`: references to secrets. */
export interface VaultApi {
  /**
   * Whether a text is a vault reference such as `{vault://env/my-secret}`.
   * @param reference a string
   */
  isReference(reference: string): Promise<boolean>;
  /**
   * Resolves a vault reference; null when it cannot be resolved.
   * @param reference a string
   */
  get(reference: string): Promise<string | null>;
  /**
   * The parts of a vault reference, null when it is none.
   * @param reference a string
   */
  parseReference(reference: string): Promise<VaultReference | null>;
}
