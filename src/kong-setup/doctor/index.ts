export { examine } from './doctor.ts';
export type { KongEnvironment } from './environment.ts';
export type { KongUser } from './permissions.ts';
