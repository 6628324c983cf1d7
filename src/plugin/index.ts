/** Plugins: finding and loading them, and what a plugin is once it is compiled. */
export { isCompiledPlugin } from './brand.ts';
export { dumpDocument, fingerprintOf } from './dump.ts';
export type { DumpDocument } from './dump.ts';
export type { FolderPlugin } from './kong-pdk/folder.ts';
export { findPlugin } from './find.ts';
export { loadFolder, loadPlugin } from './loading.ts';
export { luaSource } from './schema/lua-source.ts';
export type {
  CompiledPlugin,
  Counter,
  Gauge,
  Histogram,
  InstanceInfo,
  KongField,
  KongSchema,
  MetricOptions,
  PhaseHandler,
  PluginHandlers,
  PluginLog,
  PluginMetrics,
  SetupContext,
} from './types.ts';
export { recordReadFiles } from './read-files.ts';
