import type { Protocol } from '../../pdk/names/index.ts';
import type { HandlerFailure } from '../metrics/handler-failures.ts';
import type { PhaseHistory } from '../metrics/history.ts';
import type { LoadFailure } from '../ipc/messages.ts';

/** What `kong-ts status` shows and `/status` answers. Times in milliseconds since the epoch, sizes in bytes. */
export interface ServerStatus {
  state: 'running' | 'draining';
  pid: number;
  startedAt: number;
  sockets: { path: string; plugin: string | null }[];
  plugins: {
    name: string;
    version: string;
    priority: number;
    protocol: Protocol;
    phases: readonly string[];
    /** Digest of the plugin's dump (SHA-256, hex). It changes when Kong has to read the dump again. */
    fingerprint: string;
  }[];
  /** Plugins that do not load, and why. */
  failures: readonly LoadFailure[];
  workers: WorkerStatus[];
  /** Instance ids that Kong holds. */
  instances: number;
  /** Ids known from another server's file only, and ids that Kong asked for and nobody knows. */
  recalledInstances: number;
  unknownInstances: number;
  waitingConnections: number;
  restarts: Record<string, number>;
  /** The event hook dispatcher: null when none runs. */
  eventHooks: { pid: number | null; grpc: string | null; admin: string | null } | null;
}

export interface WorkerStatus {
  slot: number;
  pid: number | null;
  state: string;
  startedAt: number;
  /** When its plugins were loaded; null before that. */
  readyAt: number | null;
  connections: number;
  rss: number | null;
  /** 99th percentile of the event loop's delay in the last half second, in seconds. */
  loopDelay: number | null;
  events: number;
}

/** What the control socket answers to `GET /plugins`: the server, its last hour, and the last failures of handlers. */
export interface PluginReport {
  readonly status: ServerStatus;
  readonly everyMs: number;
  readonly history: readonly PhaseHistory[];
  /** The youngest first. */
  readonly failures: readonly HandlerFailure[];
}

/** What a reload did. */
export interface ReloadResult {
  /** False when the new code does not load: the old one goes on. */
  reloaded: boolean;
  failures: readonly LoadFailure[];
  plugins: readonly string[];
  /** Plugins whose schema, phases, priority or version Kong has to read again with `kong reload`. */
  needKongReload: readonly string[];
}

/** A server is healthy when every plugin has loaded and a worker serves. */
export function isHealthy(status: ServerStatus): boolean {
  return (
    status.state === 'running' &&
    status.failures.length === 0 &&
    status.plugins.length > 0 &&
    status.workers.some((worker) => worker.state === 'ready')
  );
}
