import type { Buffer } from 'node:buffer';
import type { FunctionRow, Plural } from '../../pdk/index.ts';
import { canShare, pluralOf } from '../../pdk/events/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import { Writer } from '../../wire/protobuf/index.ts';
import { writePair } from './protobuf-pair.ts';

/** A call and its arguments, all of them primitive. */
export interface PlannedCall {
  readonly row: FunctionRow;
  readonly args: readonly unknown[];
}

/** The most calls that a plan has. Sets of them are the bits of one small integer. */
export const maxPlannedCalls = 30;
/** Longer arguments are not remembered, in UTF-16 units. */
const maxArgument = 256;

/** One call of Kong that answers one or several of a plan. */
export interface PlannedFrame {
  readonly row: FunctionRow;
  readonly args: readonly unknown[];
  /** Positions of the calls that it answers. */
  readonly positions: readonly number[];
  /** Their plural, where it is one; null where they are all the same call. */
  readonly plural: Plural | null;
}

/** Calls that a handler is known to begin with, ready to be written at once. */
export class PrefetchPlan {
  readonly calls: readonly PlannedCall[];
  readonly frames: readonly PlannedFrame[];
  /** By position: the place in `frames` of the one that answers it. */
  readonly frameOf: readonly number[];
  #bytes: Buffer | null = null;

  /** @param merges the phase in whose events calls are merged, null where each is made by itself */
  constructor(calls: readonly PlannedCall[], merges: Phase | null = null) {
    this.calls = calls;
    this.frames = merges === null ? calls.map(singleFrame) : mergedFrames(calls, merges);
    this.frameOf = calls.map((_, at) => this.frames.findIndex((frame) => frame.positions.includes(at)));
  }

  /** All frames as ProtoBuf:1 has them. @throws KongTsError where one cannot be written */
  get bytes(): Buffer {
    if (this.#bytes === null) {
      const out = new Writer();
      for (const { row, args } of this.frames) writePair(out, row, args);
      this.#bytes = out.copy();
    }
    return this.#bytes;
  }
}

function singleFrame({ row, args }: PlannedCall, at: number): PlannedFrame {
  return { row, args, positions: [at], plural: null };
}

/** Calls of one plural are one frame, and so are calls that are the same; each stands where its first call stands. */
function mergedFrames(calls: readonly PlannedCall[], phase: Phase): PlannedFrame[] {
  const frames: { call: PlannedCall; plural: Plural | null; positions: number[] }[] = [];
  calls.forEach((call, at) => {
    const plural = pluralOf(call.row, call.args, phase);
    const frame = frames.find((each) =>
      plural === null
        ? canShare(call.row, call.args) && isCall(each.call, call.row, call.args)
        : each.plural === plural,
    );
    if (frame === undefined) frames.push({ call, plural, positions: [at] });
    else frame.positions.push(at);
  });
  return frames.map(({ call, plural, positions }) => {
    const names = new Set(positions.map((at) => calls[at]?.args[0]));
    return plural === null || names.size < 2
      ? { ...call, positions, plural: null }
      : { row: plural.row, args: plural.args, positions, plural };
  });
}

/**
 * Whether a call may be part of a plan. Its row has to be `steady` in the catalogue, and its arguments small and
 * primitive.
 */
export function isPlannable(row: FunctionRow, args: readonly unknown[]): boolean {
  if (row.steady == null || row.protobuf === null) return false;
  for (const value of args) {
    if (typeof value === 'object' ? value !== null : typeof value === 'function') return false;
    if (typeof value === 'string' && value.length > maxArgument) return false;
  }
  return true;
}

export function isCall(call: PlannedCall, row: FunctionRow, args: readonly unknown[]): boolean {
  if (call.row !== row || call.args.length !== args.length) return false;
  for (let at = 0; at < args.length; at++) if (call.args[at] !== args[at]) return false;
  return true;
}

/** The position of the first such call whose bit is not in `taken`, -1 if there is none. */
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
