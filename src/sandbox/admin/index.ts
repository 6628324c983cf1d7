export { createAdminApi } from './app.ts';
export type { AdminOptions, TargetHealth } from './types.ts';
