export { KongContainer } from './container.ts';
export { hostName } from './environment.ts';
export type { KongContainerOptions, PluginInContainer } from './options.ts';
export { StartedKongContainer, type LogMark } from './started.ts';
export { hasImage, labelsOf } from './testcontainers.ts';
