/**
 * kong-ts: TypeScript plugins for Kong Gateway. A plugin file needs this module only:
 *
 * ```ts
 * import { definePlugin, z } from 'kong-ts';
 *
 * export default definePlugin({
 *   name: 'hello',
 *   version: '1.0.0',
 *   config: z.object({ greeting: z.string().default('hello') }),
 *   async access(kong, config) {
 *     await kong.response.setHeader('x-hello', config.greeting);
 *   },
 * });
 * ```
 */
export { z } from 'zod';
export { eventHooks } from './event-hooks/client/hub.ts';
export type { PublishedEvents } from './event-hooks/client/published.ts';
export { definePlugin } from './plugin/define.ts';
export { KongTsError } from './base/errors.ts';
export type { ErrorCode, Fault } from './base/errors.ts';
export type {
  Consumer,
  ConsumerInput,
  Credential,
  CredentialInput,
  ExitBody,
  Headers,
  HeadersInput,
  HeaderValue,
  HttpLogRecord,
  HttpMethod,
  JsonValue,
  Kong,
  KongApi,
  KongVersion,
  LogRecord,
  MemoryStats,
  NotInPhase,
  OnlyOverMsgPack,
  OnlySinceKong,
  ParsedBody,
  Phase,
  Protocol,
  Query,
  QueryInput,
  Route,
  RouteProtocol,
  Service,
  StreamLogRecord,
  UriCaptures,
} from './pdk/index.ts';
export type {
  Handlers,
  PluginBase,
  SetupHandlers,
  StatefulPlugin,
  StatelessPlugin,
} from './plugin/define.ts';
export type { KongMeta, KongProtocol, LuaPatternCheck } from './plugin/schema/meta.ts';
export type {
  CompiledPlugin,
  Counter,
  Gauge,
  Histogram,
  InstanceInfo,
  KongField,
  KongSchema,
  MetricOptions,
  PluginLog,
  PluginMetrics,
  SetupContext,
} from './plugin/types.ts';
