import type { ServerStatus } from '../../server/admin/index.ts';
import { isHealthy } from '../../server/admin/index.ts';

/** Whether a server serves its plugins and, with event hooks, the dispatcher listens, which takes longer. */
export function isReady(status: ServerStatus, eventHooks: boolean): boolean {
  return isHealthy(status) && (!eventHooks || typeof status.eventHooks?.grpc === 'string');
}
