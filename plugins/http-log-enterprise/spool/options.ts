import type { Clock } from '../queue/clock.ts';
import type { Segment } from './segment.ts';
import type { OpenFile, WriteNow } from './plain-file.ts';

/** Where a record lies, to mark it as done. */
export interface SpoolToken {
  readonly segment: Segment;
  readonly offset: number;
}

/** The reason why records on disk were lost. */
export type SpoolLoss = 'spool_full' | 'expired' | 'damaged';

export interface SpoolOptions {
  /** The folder of one configuration; several processes may share it. */
  readonly directory: string;
  readonly clock: Clock;
  /** `always`: before `append` resolves; `interval`: once per second; `never`: when the system likes. */
  readonly fsync: 'never' | 'interval' | 'always';
  /** How many bytes all processes together keep on disk. */
  readonly maxBytes: number;
  /** How long undelivered records are kept, in milliseconds. */
  readonly maxAgeMs: number;
  /** Opens files; default: the system's. */
  readonly openFile?: OpenFile;
  /** Writes while the event loop waits; default: the system's, and none beside an `openFile`. */
  readonly writeNow?: WriteNow;
  /** Runs something at the end of the turn of the event loop. Default: `setImmediate`. */
  readonly atTurnEnd?: (run: () => void) => void;
  /** Whether the queue takes one more record of this size. */
  hasRoom(size: number): boolean;
  /** Whether so much of the queue is empty that reading from the disk is worth it. Default: room for one record. */
  wantsMore?(): boolean;
  /** A record comes back from the disk into the queue. */
  loaded(bytes: Buffer, token: SpoolToken): void;
  recovered(records: number): void;
  /** Records were deleted unsent. */
  lost(records: number, reason: SpoolLoss, detail: string): void;
  /** Once per minute: the time to look for records in the queue that are too old (see `isExpired`). */
  aging?(): void;
  failed(problem: string): void;
}
