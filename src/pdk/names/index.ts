/** The names of phases, protocols and versions alone: for who makes no calls, and shall not load what makes them. */
export { phases } from './phases.ts';
export type { Phase, Protocol } from './phases.ts';
export { defaultKongVersion, kongVersions } from './versions.ts';
export type { DefaultKongVersion, KongVersion } from './versions.ts';
