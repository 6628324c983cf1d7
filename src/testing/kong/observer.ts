import type { Phase } from '../../pdk/names/index.ts';
import type { SandboxLog } from '../../kong-end/index.ts';
import type { PhaseResult } from '../results.ts';
import type { CallRecorder } from './calls.ts';

/** What is seen of a phase besides its calls. */
export type Seen = Pick<PhaseResult, 'error' | 'logs' | 'events' | 'roundTrips' | 'writes'>;

/** Watches phases from outside: log, socket, handlers, events. */
export interface Observer {
  /** Kong's error log; what plugins write with kong.log goes there, too. */
  readonly kongLog: SandboxLog;
  /** Starts to watch one phase; its calls go to the recorder. */
  begin(phase: Phase, recorder: CallRecorder): { end(): Promise<Seen> };
}
