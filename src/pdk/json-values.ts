import { setOwn } from '../base/set-own.ts';
import type { Protocol } from './names/phases.ts';

/** Nested deeper than this, a value is refused (a cycle, most likely). */
const maxDepth = 64;

/** Why a value cannot travel to Kong's Lua: where in it, what is there, and what is allowed. */
export class Unsendable extends Error {
  readonly where: string;
  readonly given: unknown;
  readonly allowed: string;

  constructor(where: string, given: unknown, allowed: string) {
    super(`${where}: ${allowed}`);
    this.where = where;
    this.given = given;
    this.allowed = allowed;
  }
}

/**
 * A JSON-like value as Kong's Lua will hold it, the same over both protocols: properties that are null or undefined
 * are left out (Lua has no others), nulls at the end of an array too.
 * @throws Unsendable for what has no counterpart; over ProtoBuf:1 that is also `false`, which Kong 3.9 reads as nil
 */
export function toLuaValue(value: unknown, protocol: Protocol, where = '', depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new Unsendable(where, value, 'a finite number');
    case 'boolean':
      if (value || protocol === 'msgpack') return value;
      throw new Unsendable(
        where,
        value,
        'something other than false, which Kong reads as nil over ProtoBuf:1 (use 0, a text or protocol: "msgpack")',
      );
    case 'undefined':
      return null;
    case 'object':
      break;
    default:
      throw new Unsendable(where, value, 'a JSON value');
  }
  if (value === null) return null;
  if (depth >= maxDepth) throw new Unsendable(where, value, `nested at most ${maxDepth} deep`);
  if (Array.isArray(value)) return toLuaArray(value, protocol, where, depth);
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return toLuaValue((value as { toJSON(): unknown }).toJSON(), protocol, where, depth + 1);
  }
  if (!isPlainObject(value)) throw new Unsendable(where, value, 'a JSON value');
  return toLuaObject(value, protocol, where, depth);
}

function toLuaArray(value: readonly unknown[], protocol: Protocol, where: string, depth: number): unknown[] {
  let length = value.length;
  while (length > 0 && (value[length - 1] === null || value[length - 1] === undefined)) length--;
  const out: unknown[] = [];
  for (let at = 0; at < length; at++) {
    const item = toLuaValue(value[at], protocol, `${where}[${at}]`, depth + 1);
    if (item === null) {
      throw new Unsendable(`${where}[${at}]`, null, 'a value: an array in Lua ends at its first nil');
    }
    out.push(item);
  }
  return out;
}

function toLuaObject(
  value: object,
  protocol: Protocol,
  where: string,
  depth: number,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    const sent = toLuaValue(item, protocol, `${where}.${name}`, depth + 1);
    if (sent === null) continue;
    setOwn(out, name, sent);
  }
  return out;
}

/** An object that is a set of named values: `{}`, of no class of its own. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/**
 * Whether Kong can send a value again over both protocols, once it has it: no lists with gaps, whose keys would be numbers,
 * and nothing that is deeper than other values may be.
 */
export function canBeSent(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'function' && typeof value !== 'symbol';
  if (value instanceof Uint8Array) return true;
  if (depth >= maxDepth) return false;
  const within = (item: unknown) => canBeSent(item, depth + 1);
  // A place that was never written to is a gap, too, and `every` passes over it.
  if (Array.isArray(value))
    return Array.from(value).every((item) => item !== null && item !== undefined && within(item));
  return isPlainObject(value) && Object.values(value).every(within);
}

/** True when Lua holds this value without loss: no null, no empty array, nothing but JSON. */
export function survivesLua(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null || depth > maxDepth) return false;
  if (Array.isArray(value)) return value.length > 0 && value.every((item) => survivesLua(item, depth + 1));
  return isPlainObject(value) && Object.values(value).every((item) => survivesLua(item, depth + 1));
}
