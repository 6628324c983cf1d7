import { setOwn } from '../../base/set-own.ts';
import type { PlainObject } from './types.ts';

/** A table as a record: a list has its positions as keys, an empty list is an empty record. */
export function asRecord(value: PlainObject | unknown[]): PlainObject {
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(value.map((item, index) => [String(index + 1), item]));
}

/** Reading and copying of values that come from the network: no key ever reaches a prototype. */

export function isObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A Lua table: a list or an object. */
export function isTable(value: unknown): value is PlainObject | unknown[] {
  return typeof value === 'object' && value !== null;
}

export function own(object: unknown, key: string): unknown {
  return isTable(object) && Object.hasOwn(object, key) ? (object as PlainObject)[key] : undefined;
}

/** Whether lists and objects nest deeper than `limit`. If so, no recursive function may touch them. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  // A value that is met again (an alias of YAML) is looked at again only if it is deeper than before.
  const seen = new Map<object, number>();
  const look = (one: unknown, depth: number): boolean => {
    if (!isTable(one)) return false;
    if (depth >= limit) return true;
    if ((seen.get(one) ?? -1) >= depth) return false;
    seen.set(one, depth);
    return Object.values(one).some((below) => look(below, depth + 1));
  };
  return look(value, 0);
}

/** A copy as deep as the value is; functions and other odd things stay what they are. */
export function deepCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => deepCopy(item)) as T;
  if (!isObject(value)) return value;
  const copy: PlainObject = {};
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, deepCopy(item));
  return copy as T;
}

export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => deepEqual(a[key], own(b, key)));
}

/** A list in Lua's eyes: an array, or a table without any key. Null when it is neither. */
export function asSequence(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value as unknown[];
  if (isObject(value) && Object.keys(value).length === 0) return [];
  return null;
}

/** Not null, not an empty string, not an empty table. */
export function isNonEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return !(isTable(value) && Object.keys(value).length === 0);
}

/** The value at a path such as `a.b.c`. */
export function getPath(object: unknown, path: string): unknown {
  let value = object;
  for (const key of path.split('.')) value = own(value, key);
  return value;
}

export function setPath(object: PlainObject, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let at = object;
  for (const key of keys) {
    const next = own(at, key);
    if (isObject(next)) at = next;
    else {
      const fresh: PlainObject = {};
      setOwn(at, key, fresh);
      at = fresh;
    }
  }
  setOwn(at, last, value);
}

/** A vault reference such as `{vault://env/name}`. */
export function isReference(value: unknown): boolean {
  return typeof value === 'string' && /^\{vault:\/\/.*\}$/s.test(value);
}
