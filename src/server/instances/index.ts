export { Configuration } from './configuration.ts';
export type { ConfigurationState, SetupSurroundings, Usage } from './configuration.ts';
export { describeUnread } from './broken-starts.ts';
export { DEFAULT_IDLE_MS, InstanceRegistry, START_LIMIT } from './registry.ts';
export type { InstanceRecordLike, RegistryOptions } from './registry.ts';
