import type { HandlerFailure } from '../metrics/handler-failures.ts';
import type { PhaseHistory } from '../metrics/history.ts';
import type { ServerStatus } from './status.ts';

/** What the control socket answers to `GET /plugins`: the server, its last hour, and the last failures of handlers. */
export interface PluginReport {
  readonly status: ServerStatus;
  readonly everyMs: number;
  readonly history: readonly PhaseHistory[];
  /** The youngest first. */
  readonly failures: readonly HandlerFailure[];
}
