import { setOwn } from '../../base/set-own.ts';
import { isRawNumber, parseExact } from './exact-json.ts';

/** A JSON object as parsed; keys from outside are data only. */
export type Fields = Record<string, unknown>;

/** Parses event data; null when it is not one JSON object. Numbers are JavaScript's. */
export function parseFields(text: string): Fields | null {
  return parseObject(text, JSON.parse);
}
/** The same; numbers that a JavaScript number cannot hold stay as they were written, see {@link parseExact}. */
export function parseExactFields(text: string): Fields | null {
  return parseObject(text, parseExact);
}
function parseObject(text: string, parse: (text: string) => unknown): Fields | null {
  try {
    const value = parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}

/**
 * The payload of an event: its fields at top level, source and event. Null members are left out, at any depth (array
 * items stay).
 * @param fields the parsed text (numbers exact), when it was parsed anyway; it is not needed where the text can be spliced
 */
export function buildPayload(text: string, source: string, event: string, fields?: Fields): string {
  const tail = `"source":${JSON.stringify(source)},"event":${JSON.stringify(event)}}`;
  const spliceable =
    text.length > 1 && text.startsWith('{') && text.endsWith('}') && !mayHoldNullOrNames(text);
  if (spliceable) return text.length === 2 ? `{${tail}` : `${text.slice(0, -1)},${tail}`;
  const all = withoutNulls(fields ?? parseExactFields(text) ?? {}) as Fields;
  delete all.source;
  delete all.event;
  const body = JSON.stringify(all);
  return body === '{}' ? `{${tail}` : `${body.slice(0, -1)},${tail}`;
}

/** A payload for another event name (a hook on `consumers:update` gets that name). */
export function renamePayload(payload: string, event: string): string {
  return JSON.stringify({ ...parseExactFields(payload), event });
}

function mayHoldNullOrNames(text: string): boolean {
  return text.includes('null') || text.includes('"source"') || text.includes('"event"') || /^\{\s/.test(text);
}

/** Copies a JSON value without the null members of its objects. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value;
  const copy: Fields = {};
  for (const [key, member] of Object.entries(value)) {
    if (member === null || member === undefined) continue;
    setOwn(copy, key, withoutNulls(member));
  }
  return copy;
}

/** When Kong has stamped an entity: anew with each configuration of a node without a database (Kong 3.9). */
const stamps = new Set(['created_at', 'updated_at']);

/**
 * The same text for the same value, whatever the order of keys and without the nulls that payloads leave out. When an
 * entity of Kong in it (it has an id) was created and changed is left out: a reload stamps entities anew that nobody has
 * changed. The fields of an event are its own.
 */
export function canonical(value: unknown, within = false): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, true)).join(',')}]`;
  if (typeof value === 'object' && value !== null && !isRawNumber(value)) {
    const entity = within && Object.hasOwn(value, 'id');
    const members = Object.entries(value)
      .filter(([key, member]) => member !== undefined && member !== null && !(entity && stamps.has(key)))
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member, true)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** The value at a dotted path, own members only; undefined where there is none. */
export function valueAt(fields: unknown, path: readonly string[]): unknown {
  let value = fields;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}
