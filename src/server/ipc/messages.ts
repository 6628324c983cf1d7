import type { ErrorCode } from '../../base/errors.ts';
import type { SeenFile } from '../../base/file-signature.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { HandlerFailure } from '../metrics/handler-failures.ts';
import type { MetricJson } from '../metrics/metric-json.ts';
import type { AskedStart } from '../connection/host.ts';
import type { InheritedSocket } from '../keeper/inheritance.ts';
import type { KongMaster } from '../keeper/kong-master.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import type { CompiledServerOptions } from '../options.ts';

/** What the supervisor remembers of an instance, so that any worker can serve it. */
export interface InstanceRecord {
  readonly id: number;
  readonly name: string;
  /** The configuration as Kong sent it. */
  readonly config: Uint8Array;
  /** Seconds since the epoch. */
  readonly startedAt: number;
}

/** A plugin as a worker has loaded it. `fingerprint` changes when Kong has to read its dump again. */
export interface PluginSummary {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly protocol: Protocol;
  readonly phases: readonly Phase[];
  readonly fingerprint: string;
}

export interface LoadFailure {
  /** The plugin's name on the command line. */
  readonly spec: string;
  readonly message: string;
  /** The error's stack, if it leads to the author's own code. */
  readonly stack?: string;
}

export interface LoadReport {
  readonly plugins: readonly PluginSummary[];
  readonly failures: readonly LoadFailure[];
  /** True when one of the plugins has published a source of event hooks. */
  readonly usesEventHooks: boolean;
}

/** A sign of life, sent every half second. */
export interface Beat {
  /** Resident memory in bytes. */
  readonly rss: number;
  /** 99th percentile of the event loop's delay since the last beat, in seconds. */
  readonly loopDelay: number;
  readonly connections: number;
  /** See UnfinishedFrames. */
  readonly unfinished: { readonly bytes: number; readonly closed: number };
  readonly instances: number;
  /** See LoadReport; a plugin may also publish in its setup. */
  readonly usesEventHooks: boolean;
  readonly stats: Readonly<Record<string, PluginStats>>;
}

/** What a worker has counted up to now. */
export interface WorkerReport {
  readonly beat: Beat;
  /** The metrics of plugins. */
  readonly metrics: readonly MetricJson[];
  /** The last failures of handlers, the youngest last. */
  readonly failures: readonly HandlerFailure[];
}

/** An error as it travels between processes. */
export interface WireError {
  readonly code: ErrorCode | null;
  readonly message: string;
}

export type Ask =
  /** Worker to supervisor: remember this instance, which Kong waits for. False when the id is taken. */
  | { readonly op: 'record'; readonly record: InstanceRecord; readonly asked: AskedStart | null }
  /** Worker to supervisor: the instance with this id, null when it is unknown. */
  | { readonly op: 'find'; readonly id: number }
  /** Either way: a MsgPack:1 step for an event that runs on the worker `owner`. */
  | { readonly op: 'step'; readonly owner: number; readonly message: unknown }
  /** Supervisor to worker: the DumpDocument of each plugin. */
  | { readonly op: 'dump' }
  /** Supervisor to worker: a WorkerReport. */
  | { readonly op: 'report' }
  /** Supervisor to worker: finish events, close configurations, end. A second one may be less patient. */
  | { readonly op: 'drain'; readonly limit: number; readonly parting: Parting };

/**
 * What becomes of a draining worker's connections.
 *
 * - `close`: the worker answers what is asked on them, and its answer makes Kong let go of the connection (see
 *   `farewell`). A connection that Kong does not use ends. Connections that still come are served in the same way for a
 *   moment.
 * - `let go`: the same if another server has the sockets. Unused connections have more time.
 * - `let fade`: the same without haste. An unused connection stays until Kong itself would have closed it.
 * - `hand over`: they go on at another worker of the same supervisor, between two commands and unread.
 */
export type Parting = 'close' | 'let go' | 'let fade' | 'hand over';

export type Message =
  | { readonly type: 'ask'; readonly id: number; readonly ask: Ask }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly value: unknown;
      readonly error: WireError | null;
    }
  /** Supervisor to worker, first message. */
  | { readonly type: 'start'; readonly start: WorkerStart }
  /** Supervisor to worker, with the socket as handle. */
  | {
      readonly type: 'connection';
      readonly ticket: number;
      readonly socket: number;
      /** The worker that had it has died. */
      readonly orphaned: boolean;
    }
  /** Either way: Kong has closed this instance. */
  | { readonly type: 'forget'; readonly id: number }
  /** Supervisor to worker: where the event hook dispatcher listens. */
  | { readonly type: 'hooks'; readonly address: string }
  /** Supervisor to worker. */
  | { readonly type: 'withhold'; readonly withheld: Withheld }
  /** Supervisor to worker, with a copy of the listening socket as handle, see Keeper. */
  | { readonly type: 'inherit'; readonly socket: InheritedSocket }
  /** Supervisor to worker: another one has the copies. */
  | { readonly type: 'disinherit' }
  /** Supervisor to worker: it accepts connections itself from now on. Worker to supervisor: it does. */
  | { readonly type: 'accept' }
  /** Worker to supervisor: ready to take connections; plugins may still be loading. */
  | { readonly type: 'booted' }
  /** Worker to supervisor, where it watches: files that plugins are loaded from. Before `loaded`, and whenever one imports more. */
  | { readonly type: 'read'; readonly files: readonly SeenFile[] }
  /** `at`: when, in milliseconds since 1970. */
  | { readonly type: 'loaded'; readonly report: LoadReport; readonly at: number }
  | { readonly type: 'beat'; readonly beat: Beat }
  /** Worker to supervisor: the last word before its process ends. */
  | { readonly type: 'last'; readonly report: WorkerReport }
  | { readonly type: 'taken'; readonly ticket: number }
  /** Worker to supervisor: a StartInstance is answered now. */
  | { readonly type: 'started'; readonly ticket: number }
  /** Worker to supervisor: a connection has been closed. */
  | { readonly type: 'gone'; readonly ticket: number }
  /** Worker to supervisor: it has let go of a connection that is still open. */
  | { readonly type: 'released'; readonly ticket: number };

/**
 * A configuration that is held back for a while: its log events end without running, or it is not set up. See Deaths.
 */
export interface Withheld {
  /** Name of the plugin. */
  readonly name: string;
  /** As Kong sent it. */
  readonly config: Uint8Array;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly what: 'log' | 'setup';
}

export interface WorkerStart {
  readonly options: CompiledServerOptions;
  /** Number of this worker among all that live at the same time, 0 to 255; part of MsgPack:1 event ids. */
  readonly uid: number;
  /** Place among the workers, 0 to `count - 1`. */
  readonly slot: number;
  readonly count: number;
  /** Whether there is a file for what is in flight, see InFlightFile. */
  readonly inFlight: boolean;
  /** The Kong that has started this server, null where none has. */
  readonly kong: KongMaster | null;
  /** Address of the event hook dispatcher, null when there is none yet. */
  readonly hooks: string | null;
  /** The worker before it has died. So this one writes down each event as it begins, not every 50 ms. */
  readonly careful: boolean;
  readonly withheld: readonly Withheld[];
}
