export { createAdminApi } from './app.ts';
export { nginxManners } from './nginx.ts';
export type { AdminOptions, TargetHealth } from './types.ts';
