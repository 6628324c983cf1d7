import type { KongAdmin } from '../../kong-admin/index.ts';
import type { Clock } from '../../base/clock.ts';
import type { Wants, WatchLog, WatchedEvent, WatchedSource } from '../port.ts';
import type { WatchMetrics } from './metrics.ts';
import type { SnapshotStore } from './snapshot/types.ts';

/** What both watchers need. */
export interface CommonOptions {
  readonly admin: KongAdmin;
  readonly snapshots: SnapshotStore;
  readonly wants: Wants;
  /** Resolves once the events are stored; rejects when they are not. */
  readonly emit: (events: WatchedEvent[]) => Promise<void>;
  /** Whether what was read may still be reported: another process may have taken over. Default: always. */
  readonly mayReport?: () => boolean;
  readonly clock: Clock;
  readonly log: WatchLog;
  readonly metrics?: WatchMetrics;
  /** Milliseconds between two polls; 5000 by default. */
  readonly intervalMs?: number;
}

export interface WatcherOptions extends CommonOptions {
  /** Whether any hook names the source. */
  readonly listens: (source: string) => boolean;
  readonly publish: (declaration: WatchedSource) => void;
  /** Milliseconds per kind (name of its schema), where it differs. */
  readonly intervals?: Readonly<Record<string, number>>;
  /** Puts keys, passwords and other secrets into the payloads; false by default. */
  readonly secrets?: boolean;
  /** Entities per page; 1000, Kong's largest, by default. */
  readonly pageSize?: number;
}
