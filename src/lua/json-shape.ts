import { setOwn } from '../base/set-own.ts';
import { KongTsError } from '../base/errors.ts';

/** The members of a Lua table in the order in which Lua gives them. */
export interface TableShape {
  readonly keys: (string | number)[];
  readonly values: unknown[];
}

/** Kong's JSON encoder (lua-cjson) takes an array with holes when it is this short, or at least half full. */
const safeLength = 10;
const sparseRatio = 2;

/**
 * An array or an object of a table's members.
 *
 * @param holes whether an array may have holes, which are null
 * @throws KongTsError LUA_FAILED for an array with too many holes, in lua-cjson's words
 */
export function buildTable({ keys, values }: TableShape, holes: boolean): unknown {
  const length = arrayLength(keys);
  if (length === null) return asObject(keys, values);
  if (length > keys.length) {
    if (!holes) return asObject(keys, values);
    if (length > safeLength && length > keys.length * sparseRatio) {
      throw new KongTsError('LUA_FAILED', 'Cannot serialise table: excessively sparse array');
    }
  }
  const items = new Array<unknown>(length).fill(null);
  keys.forEach((key, i) => {
    items[Number(key) - 1] = values[i];
  });
  return items;
}

/** The highest key. null: the table is empty, or has keys that are not positive integers. */
function arrayLength(keys: readonly (string | number)[]): number | null {
  let length = 0;
  for (const key of keys) {
    if (typeof key !== 'number' || !Number.isInteger(key) || key < 1) return null;
    length = Math.max(length, key);
  }
  return length === 0 ? null : length;
}

function asObject(keys: readonly (string | number)[], values: readonly unknown[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  keys.forEach((key, i) => {
    setOwn(object, String(key), values[i]);
  });
  return object;
}
