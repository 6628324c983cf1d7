export { Configuration } from './configuration.ts';
export type { ConfigurationState, SetupSurroundings, Usage } from './configuration.ts';
export { describeUnread } from './broken-starts.ts';
export { defaultIdleMs, InstanceRegistry, startLimitMs } from './registry.ts';
export type { InstanceRecordLike, RegistryOptions } from './registry.ts';
