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
export { definePlugin } from './plugin/define.ts';
export { KongTsError } from './errors.ts';
export type { ErrorCode, Fault } from './errors.ts';
export type { Phase, Protocol } from './pdk/phases.ts';
export type {
  Consumer,
  ConsumerInput,
  Credential,
  CredentialInput,
  Route,
  Service,
} from './pdk/types/entities.ts';
export type { Kong, KongApi } from './pdk/types/kong.ts';
export type { HttpLogRecord, LogRecord, StreamLogRecord } from './pdk/types/log-record.ts';
export type {
  ExitBody,
  Headers,
  HeadersInput,
  HttpMethod,
  JsonValue,
  Query,
  QueryInput,
} from './pdk/types/values.ts';
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
