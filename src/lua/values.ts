import { KongTsError } from '../errors.ts';
import type { LuaApi, Pointer, State } from './machine.ts';
import { decodeLuaText, encodeLuaText } from './text.ts';

const maxDepth = 64;
const type = { nil: 0, boolean: 1, number: 3, string: 4, table: 5 } as const;

/** Copies values between JavaScript and Lua; nothing is shared, so nothing of the host can be reached from Lua. */
export class ValueBridge {
  private readonly api: LuaApi;
  private readonly size: Pointer;

  constructor(api: LuaApi) {
    this.api = api;
    this.size = api._malloc(8);
  }

  dispose(): void {
    this.api._free(this.size);
  }

  pushString(state: State, text: string): void {
    const bytes = encodeLuaText(text);
    const at = this.api._malloc(bytes.length + 1);
    this.api.HEAPU8.set(bytes, at);
    this.api._lua_pushlstring(state, at, bytes.length);
    this.api._free(at);
  }

  /**
   * @param pushFunction makes a Lua function of a JavaScript function; functions are refused without it
   */
  push(
    state: State,
    value: unknown,
    pushFunction?: (run: (...args: unknown[]) => unknown) => void,
    depth = 0,
  ): void {
    const { api } = this;
    if (depth > maxDepth || api._lua_checkstack(state, 8) === 0) {
      throw new KongTsError('LUA_FAILED', 'A value for Lua is nested too deeply.');
    }
    if (value === null || value === undefined) api._lua_pushnil(state);
    else if (typeof value === 'boolean') api._lua_pushboolean(state, value ? 1 : 0);
    else if (typeof value === 'number') this.pushNumber(state, value);
    else if (typeof value === 'bigint') api._lua_pushnumber(state, Number(value));
    else if (typeof value === 'string') this.pushString(state, value);
    else if (typeof value === 'function' && pushFunction !== undefined) {
      pushFunction(value as (...args: unknown[]) => unknown);
    } else if (Array.isArray(value)) {
      api._lua_createtable(state, value.length, 0);
      value.forEach((item, i) => {
        this.push(state, item, pushFunction, depth + 1);
        api._lua_rawseti(state, -2, BigInt(i + 1));
      });
    } else if (typeof value === 'object') {
      api._lua_createtable(state, 0, 0);
      for (const [key, member] of Object.entries(value)) {
        if (member === undefined || member === null) continue;
        this.pushString(state, key);
        this.push(state, member, pushFunction, depth + 1);
        api._lua_rawset(state, -3);
      }
    } else {
      throw new KongTsError('LUA_FAILED', `A ${typeof value} cannot be passed to Lua.`);
    }
  }

  private pushNumber(state: State, value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.api._lua_pushinteger(state, BigInt(value));
    else this.api._lua_pushnumber(state, value);
  }

  readString(state: State, index: number): string {
    const at = this.api._lua_tolstring(state, index, this.size);
    const length = this.api.HEAPU32[this.size >> 2] ?? 0;
    return decodeLuaText(Buffer.from(this.api.HEAPU8.slice(at, at + length)));
  }

  /**
   * The value at a stack index: nil is undefined, a table with the keys 1 to n is an array, any other table (an empty
   * one, too) an object.
   *
   * @throws KongTsError LUA_FAILED for functions, threads, userdata, tables that contain themselves or nest too deeply
   */
  read(state: State, index: number, depth = 0): unknown {
    const { api } = this;
    switch (api._lua_type(state, index)) {
      case type.nil:
        return undefined;
      case type.boolean:
        return api._lua_toboolean(state, index) !== 0;
      case type.number:
        return api._lua_tonumberx(state, index, 0);
      case type.string:
        return this.readString(state, index);
      case type.table:
        return this.readTable(state, index, depth);
      default:
        throw new KongTsError(
          'LUA_FAILED',
          'The value must be nil, a number, a string, a boolean or a table of such values.',
        );
    }
  }

  private readTable(state: State, index: number, depth: number): unknown {
    const { api } = this;
    if (depth > maxDepth || api._lua_checkstack(state, 8) === 0) {
      throw new KongTsError('LUA_FAILED', 'A table contains itself or nests more than 64 levels deep.');
    }
    const table = index < 0 ? api._lua_gettop(state) + 1 + index : index;
    const keys: (string | number)[] = [];
    const values: unknown[] = [];
    api._lua_pushnil(state);
    while (api._lua_next(state, table) !== 0) {
      values.push(this.read(state, -1, depth + 1));
      api._lua_settop(state, -2);
      keys.push(this.readKey(state));
    }
    return isSequence(keys) ? inOrder(keys, values) : asObject(keys, values);
  }

  /** The key on top of the stack. A copy is read: turning a number into a string in place would confuse lua_next. */
  private readKey(state: State): string | number {
    const { api } = this;
    if (api._lua_type(state, -1) === type.number) return api._lua_tonumberx(state, -1, 0);
    if (api._lua_type(state, -1) === type.boolean) return String(api._lua_toboolean(state, -1) !== 0);
    if (api._lua_type(state, -1) === type.string) return this.readString(state, -1);
    throw new KongTsError('LUA_FAILED', 'The keys of a table must be strings, numbers or booleans.');
  }
}

function isSequence(keys: readonly (string | number)[]): keys is number[] {
  if (keys.length === 0) return false;
  return keys.every(
    (key) => typeof key === 'number' && Number.isInteger(key) && key >= 1 && key <= keys.length,
  );
}

function inOrder(keys: readonly number[], values: readonly unknown[]): unknown[] {
  const items = new Array<unknown>(keys.length);
  keys.forEach((key, i) => {
    items[key - 1] = values[i];
  });
  return items;
}

function asObject(keys: readonly (string | number)[], values: readonly unknown[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  keys.forEach((key, i) => {
    // defineProperty: a key named __proto__ is data like any other.
    Object.defineProperty(object, String(key), {
      value: values[i],
      enumerable: true,
      configurable: true,
      writable: true,
    });
  });
  return object;
}
