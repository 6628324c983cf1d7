export { createAdminApi } from './app.ts';
export { refuseUnread } from './nginx.ts';
export type { AdminOptions, TargetHealth } from './types.ts';
