/** Asking a running server: its control socket, and what it answers. */
export { askServer } from './client.ts';
export { isHealthy } from './status.ts';
export type { ReloadResult, ServerStatus, WorkerStatus } from './status.ts';
