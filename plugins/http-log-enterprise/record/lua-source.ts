import type { LogLevel } from './fields/protocol.ts';
import type { RawText } from './text.ts';

export type Table = Record<string, unknown>;

/** The source of the answers of custom fields' functions. Strings have one character per byte. */
export interface LuaSource {
  /** The record of the request whose fields are being computed. */
  readonly record: () => Table;
  /** The request's header authorization; null when it is not known. */
  readonly authorization: () => RawText | null;
  readonly write: (level: LogLevel, text: string) => void;
  readonly wall: () => number;
}

export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field of the record by path; undefined when something on the way is absent. */
export function field(record: Table, ...path: string[]): unknown {
  let value: unknown = record;
  for (const key of path) {
    if (!isTable(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
