import type { Buffer } from 'node:buffer';
import type { FunctionRow } from '../../pdk/catalogue.ts';
import { Writer } from '../../wire/protobuf/writer.ts';
import { writePair } from './protobuf-pair.ts';

/** A call and its arguments, all of them primitive. */
export interface PlannedCall {
  readonly row: FunctionRow;
  readonly args: readonly unknown[];
}

/** Calls that a plan has at most: sets of them are the bits of one small integer. */
export const maxPlannedCalls = 30;
/** Longer arguments are not remembered, in UTF-16 units. */
const maxArgument = 256;

/** Calls that a handler is known to begin with, ready to be written at once. */
export class PrefetchPlan {
  readonly calls: readonly PlannedCall[];
  /** The frames of all of them. */
  readonly bytes: Buffer;

  constructor(calls: readonly PlannedCall[]) {
    this.calls = calls;
    const out = new Writer();
    for (const { row, args } of calls) writePair(out, row, args);
    this.bytes = out.copy();
  }
}

/** Whether a call may be part of a plan: see `steady` of the catalogue; its arguments have to be small and primitive. */
export function isPlannable(row: FunctionRow, args: readonly unknown[]): boolean {
  if (row.steady !== true || row.protobuf === null) return false;
  for (const value of args) {
    if (typeof value === 'object' ? value !== null : typeof value === 'function') return false;
    if (typeof value === 'string' && value.length > maxArgument) return false;
  }
  return true;
}

/** A function that answers and sets something all the same. */
const setsAndAnswers = 'kong.service.set_upstream';

/** Whether a call may change what getters answer: everything but getters and logs. */
export function mayChange(row: FunctionRow): boolean {
  const travel = row.travel.protobuf;
  return travel === 'getter' ? row.name === setsAndAnswers : travel !== 'log';
}

export function isCall(call: PlannedCall, row: FunctionRow, args: readonly unknown[]): boolean {
  if (call.row !== row || call.args.length !== args.length) return false;
  for (let at = 0; at < args.length; at++) if (call.args[at] !== args[at]) return false;
  return true;
}

/** The first of the calls that is this one and whose bit is not in `taken`, -1 when there is none. */
export function findCall(
  calls: readonly PlannedCall[],
  taken: number,
  row: FunctionRow,
  args: readonly unknown[],
): number {
  for (let at = 0; at < calls.length; at++) {
    if ((taken & (1 << at)) === 0 && isCall(calls[at] as PlannedCall, row, args)) return at;
  }
  return -1;
}

/** How many bits of a set are on. */
export function countBits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
