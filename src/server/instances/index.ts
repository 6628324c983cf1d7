export { Configuration } from './configuration.ts';
export type { ConfigurationState, SetupSurroundings, Usage } from './configuration.ts';
export { DEFAULT_IDLE_MS, InstanceRegistry } from './registry.ts';
export type { InstanceRecordLike, RegistryOptions } from './registry.ts';
