/** What a header holds: a text, a list of texts, or null for a text that is empty, as it can come over ProtoBuf:1. */
export type Line = string | null;
export type Lines = Line | readonly Line[];

/**
 * All headers of a request or response as they came, of which only those are decoded that somebody asks for. It is valid as
 * long as the bytes that it was made of.
 */
export interface HeaderTable {
  /** How many lines there are in all: at least one for each header. */
  readonly count: number;
  /** The names with an underscore in them. */
  readonly underscored: readonly string[];
  /** What stands under exactly this name, undefined where nothing does. Of several entries it is the last one. */
  lines(name: string): Lines | undefined;
}

/** Whether something that was read is such a table: what is decoded of bytes has no functions. */
export function isHeaderTable(value: unknown): value is HeaderTable {
  return typeof value === 'object' && value !== null && 'lines' in value && typeof value.lines === 'function';
}
