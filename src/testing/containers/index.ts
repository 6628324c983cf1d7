export { KongContainer } from './container.ts';
export { hostName } from './environment.ts';
export type { KongContainerOptions, PluginInContainer } from './options.ts';
export type { LogMark } from './started.ts';
export { StartedKongContainer } from './started.ts';
export { hasImage, labelsOf } from './testcontainers.ts';
