import { quoteRaw } from '../json.ts';
import { formatNumber } from '../numbers.ts';
import type { RawText } from '../text.ts';

/**
 * A value that Lua returned, whose strings are bytes, as Kong's encoder writes it.
 *
 * @throws Error in lua-cjson's words for a number that JSON does not have
 */
export function toKongJson(value: unknown): RawText {
  if (typeof value === 'string') return quoteRaw(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error('Cannot serialise number: must not be NaN or Infinity');
    return formatNumber(value);
  }
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value))
    return `[${value.map((item) => (item === undefined ? 'null' : toKongJson(item))).join(',')}]`;
  if (typeof value !== 'object' || value === null) return 'null';
  const members = Object.entries(value).map(([key, member]) => `${quoteRaw(key)}:${toKongJson(member)}`);
  return `{${members.join(',')}}`;
}
