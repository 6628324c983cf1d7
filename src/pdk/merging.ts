import type { FunctionRow, Part } from './catalogue.ts';
import { rowByName } from './catalogue.ts';
import { headerLookups } from './header-lookups.ts';
import type { LookUp } from './header-lookups.ts';
import type { Phase } from './names/phases.ts';
import { defaultMaximum } from './argument-checks.ts';

/** What a call reads and what it may change, as sets of bits. */
export interface Effects {
  readonly reads: number;
  readonly changes: number;
  /** False for what Kong cannot fail at: what leaves after it is certain to be heard. */
  readonly mayRaise: boolean;
}

/** The request as Kong holds it, with all that belongs to it, and the response. */
const bits: Readonly<Record<Part, number>> = { request: 1, response: 2 };
/** Whatever there is: the two parts and all the rest. */
export const everything = 7;

const known = new WeakMap<FunctionRow, Effects>();

/**
 * What a call reads and changes. What the catalogue does not say reads everything; what is neither a getter nor a log line
 * changes everything, too.
 */
export function effectsOf(row: FunctionRow): Effects {
  let effects = known.get(row);
  if (effects === undefined) {
    effects = worked(row);
    known.set(row, effects);
  }
  return effects;
}

function worked({ steady, merging, changes, travel, sets }: FunctionRow): Effects {
  if (steady != null) return { reads: bits[steady], changes: 0, mayRaise: false };
  // What is merged sets one header after the other, whatever there was before.
  if (changes != null)
    return { reads: merging == null ? bits[changes] : 0, changes: bits[changes], mayRaise: true };
  // A log line names the request's host.
  if (travel.protobuf === 'log' || travel.msgpack === 'log')
    return { reads: bits.request, changes: 0, mayRaise: false };
  const getter = travel.protobuf === 'getter' || travel.msgpack === 'getter';
  return { reads: everything, changes: getter && sets !== true ? 0 : everything, mayRaise: true };
}

/** A function that answers for many calls of another one. */
export interface Plural {
  readonly row: FunctionRow;
  readonly args: readonly unknown[];
  /** The part of the exchange that it reads. */
  readonly part: number;
  readonly lookUp: LookUp;
}

const plurals = new WeakMap<FunctionRow, Plural>();

/** Names that are looked up in an answer; what else nginx makes of a name is not known. */
const lookedUp = /^[\w-]+$/;

/** What can be asked in place of several calls like this one, null where each has to be asked by itself. */
export function pluralOf(row: FunctionRow, args: readonly unknown[], phase: Phase): Plural | null {
  const { merging } = row;
  if (merging == null || merging.as !== 'lookup' || !merging.phases.includes(phase)) return null;
  const [name] = args;
  if (args.length !== 1 || typeof name !== 'string' || !lookedUp.test(name)) return null;
  let plural = plurals.get(row);
  if (plural === undefined) {
    const { reads } = effectsOf(row);
    const lookUp = headerLookups[merging.rule];
    plural = { row: functionOf(merging.into), args: [defaultMaximum], part: reads, lookUp };
    plurals.set(row, plural);
  }
  return plural;
}

/** A field of a call that sets several. */
export type SetField = readonly [name: string, value: string | readonly string[]];

/** What a setter sets, as fields of its plural. */
export interface Fields {
  readonly into: FunctionRow;
  /** The part of the exchange that it changes. */
  readonly part: number;
  readonly fields: readonly SetField[];
}

/** The setter's call as a part of its plural's, null where it has to be made by itself. */
export function fieldsOf(row: FunctionRow, args: readonly unknown[]): Fields | null {
  const { merging, changes } = row;
  if (merging == null || merging.as === 'lookup' || changes == null) return null;
  const given = merging.as === 'field' ? [[args[0], args[1]] as const] : entriesOf(args[0]);
  if (given === null || given.length === 0) return null;
  const names = new Set<string>();
  for (const [name, value] of given) {
    if (typeof name !== 'string' || name === '' || !isFieldValue(value)) return null;
    const same = sameName(name);
    if (merging.alone.includes(same) || names.has(same)) return null;
    names.add(same);
  }
  return {
    into: functionOf(merging.into),
    part: bits[changes],
    fields: given as readonly SetField[],
  };
}

function entriesOf(table: unknown): (readonly [unknown, unknown])[] | null {
  return typeof table === 'object' && table !== null ? Object.entries(table) : null;
}

/** Text as the checks have made it. Kong reads other values apart in the two forms. */
function isFieldValue(value: unknown): boolean {
  if (typeof value === 'string') return true;
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

/** Headers of the same name: their case does not matter, and nginx may take an underscore for a dash. */
export function sameName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

const primitive = new Set(['text', 'number', 'boolean']);

/** Whether two calls with the same arguments can have one answer, as long as nothing of what they read is changed. */
export function canShare({ steady, result }: FunctionRow, args: readonly unknown[]): boolean {
  return steady != null && primitive.has(result.kind) && args.every((value) => typeof value !== 'object');
}

function functionOf(name: string): FunctionRow {
  const row = rowByName(name);
  if (row === null) throw new Error(`The catalogue has no ${name}.`);
  return row;
}
