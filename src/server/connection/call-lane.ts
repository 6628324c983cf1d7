import type { FunctionRow } from '../../pdk/index.ts';
import type { Asked } from './asked.ts';

/** How calls leave over one protocol, in the order in which they are said. */
export interface CallLane {
  /** Says a call whose answer matters. @throws KongTsError where it cannot be written */
  sayCall(call: Asked, args: readonly unknown[]): void;
  /** Says a call whose answer carries nothing. @throws KongTsError where it cannot be written */
  saySend(row: FunctionRow, args: readonly unknown[]): void;
  /** Has the merger's `turnEnded` called once everything that runs in this turn has had its say. */
  planTurn(): void;
  /** Calls had no frame of their own. */
  countMerged(calls: number): void;
  /** A call that was put off cannot be written. */
  lost(row: FunctionRow, error: unknown): void;
}
