import { formatNumber } from './numbers.ts';
import type { RawText } from './text.ts';

/** A value of Lua as `tostring` writes it, as far as it has crossed from there. */
export function luaText(value: unknown): RawText {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (value === undefined) return 'nil';
  return value === null ? 'userdata: NULL' : 'table';
}
