import { ExactNumber } from '../text/exact-json.ts';

/** One condition of a filter, as a form has it: everything is text. */
export interface FilterRow {
  readonly path: string;
  readonly operator: string;
  readonly value: string;
}

export const operators: readonly (readonly [operator: string, words: string])[] = [
  ['eq', 'is'],
  ['ne', 'is not'],
  ['in', 'is one of'],
  ['not_in', 'is none of'],
  ['contains', 'contains'],
  ['starts_with', 'starts with'],
  ['ends_with', 'ends with'],
  ['gt', 'is greater than'],
  ['gte', 'is at least'],
  ['lt', 'is less than'],
  ['lte', 'is at most'],
  ['exists', 'exists'],
];

const texts = new Set(['contains', 'starts_with', 'ends_with']);
const lists = new Set(['in', 'not_in']);

/** The rows of a stored filter; a bare value means `eq`. */
export function rowsOf(filter: Readonly<Record<string, unknown>> | undefined): FilterRow[] {
  return Object.entries(filter ?? {}).flatMap(([path, wanted]) => {
    const conditions =
      typeof wanted === 'object' && wanted !== null ? Object.entries(wanted) : [['eq', wanted] as const];
    return conditions.map(([operator, value]) => ({ path, operator, value: writeValue(operator, value) }));
  });
}

/** The filter of rows; undefined where none says anything. A path may have several conditions, all of which must hold. */
export function filterOf(rows: readonly FilterRow[]): Record<string, unknown> | undefined {
  const filter: Record<string, Record<string, unknown>> = {};
  for (const { path, operator, value } of rows) {
    if (path.trim() === '') continue;
    filter[path.trim()] = { ...filter[path.trim()], [operator]: readValue(operator, value) };
  }
  return Object.keys(filter).length === 0 ? undefined : filter;
}

/** What a text means: numbers, true, false and null are such, unless they are quoted. */
function readValue(operator: string, text: string): unknown {
  if (texts.has(operator)) return text;
  if (operator === 'exists') return text !== 'false';
  if (lists.has(operator)) return splitList(text).map(readScalar);
  return readScalar(text);
}

function readScalar(text: string): unknown {
  const trimmed = text.trim();
  if (!/^(?:-?\d|"|true$|false$|null$)/.test(trimmed)) return trimmed;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return trimmed;
  }
}

/** Parts between commas; a comma within quotes belongs to its part. */
const splitList = (text: string): string[] =>
  (text.match(/(?:"(?:\\.|[^"\\])*"|[^,])+/g) ?? []).filter((part) => part.trim() !== '');

function writeValue(operator: string, value: unknown): string {
  if (texts.has(operator)) return typeof value === 'string' ? value : JSON.stringify(value);
  if (Array.isArray(value)) return value.map(writeScalar).join(', ');
  return writeScalar(value);
}

/** Text stands bare where it is read as text again. */
function writeScalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return readScalar(value) === value && value !== '' && !/[",]/.test(value) ? value : JSON.stringify(value);
}

/** The dotted paths of a payload, for the reader to choose from. */
export function pathsOf(payload: unknown, most = 200): string[] {
  const found: string[] = [];
  const look = (value: unknown, path: string): void => {
    if (found.length >= most) return;
    const hasFields =
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
    if (hasFields) {
      for (const [name, below] of Object.entries(value)) look(below, path === '' ? name : `${path}.${name}`);
    } else if (path !== '') found.push(path);
  };
  look(payload, '');
  return found;
}
