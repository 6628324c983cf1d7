/**
 * Columns as this side can hold them, whatever the file has. SQLite keeps any type in any column, and an integer beyond
 * 2^53 makes node:sqlite refuse the whole answer. One bad row must not hide the others.
 */
const largest = '9007199254740991';

/** A whole number from 0 to 2^53-1, else `otherwise`. */
export const wholeNumber = (column: string, otherwise = '0'): string =>
  `CASE WHEN typeof(${column}) = 'integer' AND ${column} BETWEEN 0 AND ${largest} THEN ${column} ELSE ${otherwise} END`;
/** Any number, else null. */
export const anyNumber = (column: string): string =>
  `CASE WHEN typeof(${column}) = 'real' OR (typeof(${column}) = 'integer' AND ${column} BETWEEN -${largest} AND ${largest}) THEN ${column} END`;
/** Text; null stays null. */
export const asText = (column: string): string => `CAST(${column} AS TEXT)`;
