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
export { definePlugin } from './plugin/define.ts';
export { KongTsError } from './errors.ts';
export type { ErrorCode, Fault } from './errors.ts';
export type { Phase, Protocol } from './pdk/phases.ts';
export type { Kong } from './plugin/kong-type.ts';
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
