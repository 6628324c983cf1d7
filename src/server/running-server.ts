import type { DumpDocument } from '../plugin/index.ts';
import type { ReloadResult, ServerStatus } from './admin/status.ts';

/** A plugin server that listens. */
export interface RunningServer {
  /** Addresses of the admin listeners: `host:port` of --metrics, path of the control socket. */
  readonly addresses: readonly string[];
  status(): ServerStatus;
  /** The text that Prometheus reads. */
  metrics(): Promise<{ type: string; text: string }>;
  /** Loads the plugins anew, without a failed event. */
  reload(): Promise<ReloadResult>;
  /** What Kong reads of each plugin that is loaded; null while none is. */
  dump(): Promise<readonly DumpDocument[] | null>;
  /**
   * Ends on a signal: `waits` where another server is going to follow and this one serves until it does; a second signal
   * stops it then.
   */
  terminate(signal: NodeJS.Signals): 'waits' | 'stops';
  /** Lets events in flight finish, flushes what plugins have queued, ends every process. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, also by a takeover. */
  readonly stopped: Promise<void>;
}
