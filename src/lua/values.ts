import { KongTsError } from '../base/errors.ts';
import type { TableShape } from './json-shape.ts';
import { buildTable } from './json-shape.ts';
import type { Governor } from './limits.ts';
import type { LuaApi, Pointer, State } from './machine.ts';
import { decodeLuaText, encodeLuaText } from './text.ts';

/**
 * How values cross. `text`: strings are text, nil and null are the same. `kong`: a string has one character per byte,
 * null is `ngx.null`, and tables become what Kong's JSON encoder makes of them.
 */
export type ValueStyle = 'text' | 'kong';

const maxDepth = 100;
/** What a value weighs beside the bytes of its text. */
const valueWeight = 48;
const type = { nil: 0, boolean: 1, lightuserdata: 2, number: 3, string: 4, table: 5 } as const;

const notData = 'The value must be nil, a number, a string, a boolean or a table of such values.';
const selfReference =
  'value must be nil, a number, string, boolean or a non-self-referencial table containing numbers, string and booleans';

/** What one copy may still weigh, in bytes, and the tables that it has passed. */
interface Passage {
  left: number;
  readonly seen: Set<Pointer>;
}

/** Copies values between JavaScript and Lua; nothing is shared, so nothing of the host can be reached from Lua. */
export class ValueBridge {
  readonly #api: LuaApi;
  readonly #governor: Governor;
  readonly #style: ValueStyle;
  readonly #size: Pointer;

  constructor(api: LuaApi, governor: Governor, style: ValueStyle) {
    this.#api = api;
    this.#governor = governor;
    this.#style = style;
    this.#size = api._malloc(8);
  }

  dispose(): void {
    this.#api._free(this.#size);
  }

  /**
   * Pushes a copy of a value.
   *
   * @throws KongTsError LUA_FAILED for what cannot cross, LUA_LIMIT for what is larger than the memory limit
   * @throws LimitReached when the time is over
   */
  push(state: State, value: unknown): void {
    const passage = { left: this.#governor.memoryBytes, seen: new Set<Pointer>() };
    const top = this.#api._lua_gettop(state);
    try {
      this.#governor.leniently(() => this.#pushValue(state, value, passage, 0));
    } catch (error) {
      this.#api._lua_settop(state, top);
      throw error;
    }
  }

  /** Pushes bytes, one per character. */
  pushBytes(state: State, bytes: string): void {
    const at = this.#api._malloc(bytes.length + 1);
    Buffer.from(this.#api.HEAPU8.buffer, at, bytes.length).write(bytes, 'latin1');
    this.#governor.leniently(() => this.#api._lua_pushlstring(state, at, bytes.length));
    this.#api._free(at);
  }

  #pushString(state: State, text: string, passage: Passage): void {
    this.#weigh(passage, text.length);
    if (this.#style === 'kong') {
      this.pushBytes(state, text);
      return;
    }
    const bytes = encodeLuaText(text);
    const at = this.#api._malloc(bytes.length + 1);
    this.#api.HEAPU8.set(bytes, at);
    this.#api._lua_pushlstring(state, at, bytes.length);
    this.#api._free(at);
  }

  #weigh(passage: Passage, bytes: number): void {
    this.#governor.spend(1 + (bytes >> 6));
    passage.left -= valueWeight + bytes;
    if (passage.left < 0) {
      throw new KongTsError('LUA_LIMIT', 'A value is larger than the memory that the Lua code may use.');
    }
  }

  #pushValue(state: State, value: unknown, passage: Passage, depth: number): void {
    const api = this.#api;
    if (depth > maxDepth || api._lua_checkstack(state, 8) === 0) {
      throw new KongTsError('LUA_FAILED', 'A value for Lua is nested too deeply.');
    }
    if (value === undefined || (value === null && this.#style === 'text')) api._lua_pushnil(state);
    else if (value === null) api._lua_pushlightuserdata(state, 0);
    else if (typeof value === 'boolean') api._lua_pushboolean(state, value ? 1 : 0);
    else if (typeof value === 'number') api._lua_pushnumber(state, value);
    else if (typeof value === 'bigint') api._lua_pushnumber(state, Number(value));
    else if (typeof value === 'string') this.#pushString(state, value, passage);
    else if (ArrayBuffer.isView(value)) throw new KongTsError('LUA_FAILED', 'Bytes cannot be passed to Lua.');
    else if (Array.isArray(value)) this.#pushArray(state, value, passage, depth);
    else if (typeof value === 'object') this.#pushObject(state, value, passage, depth);
    else throw new KongTsError('LUA_FAILED', `A ${typeof value} cannot be passed to Lua.`);
  }

  #pushArray(state: State, items: readonly unknown[], passage: Passage, depth: number): void {
    this.#weigh(passage, items.length * 16);
    this.#api._lua_createtable(state, items.length, 0);
    items.forEach((item, i) => {
      this.#pushValue(state, item, passage, depth + 1);
      this.#api._lua_rawseti(state, -2, BigInt(i + 1));
    });
  }

  #pushObject(state: State, object: object, passage: Passage, depth: number): void {
    this.#weigh(passage, 0);
    this.#api._lua_createtable(state, 0, 0);
    for (const [key, member] of Object.entries(object) as [string, unknown][]) {
      if (member === undefined || (member === null && this.#style === 'text')) continue;
      this.#pushString(state, key, passage);
      this.#pushValue(state, member, passage, depth + 1);
      this.#api._lua_rawset(state, -3);
    }
  }

  /**
   * The bytes of a string on the stack. Call it for a string only: Lua would turn any other value into one, in place.
   */
  bytesAt(state: State, index: number): Uint8Array {
    const at = this.#api._lua_tolstring(state, index, this.#size);
    const length = this.#api.HEAPU32[this.#size >> 2] ?? 0;
    return this.#api.HEAPU8.subarray(at, at + length);
  }

  /** The text of a string on the stack. */
  readString(state: State, index: number): string {
    const bytes = this.bytesAt(state, index);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#style === 'kong' ? buffer.toString('latin1') : decodeLuaText(Buffer.from(buffer));
  }

  /**
   * The value at a stack index. nil is undefined. A table with the keys 1 to n is an array. In the style `kong` a table
   * with holes is one, too. Any other table is an object, also an empty one.
   *
   * @throws KongTsError LUA_FAILED for functions, threads, userdata, tables that contain themselves or nest too deeply,
   * LUA_LIMIT for values that are larger than the memory limit
   * @throws LimitReached when the time is over
   */
  read(state: State, index: number): unknown {
    const passage = { left: 4 * this.#governor.memoryBytes, seen: new Set<Pointer>() };
    return this.#governor.leniently(() => this.#readValue(state, index, passage, 0));
  }

  #readValue(state: State, index: number, passage: Passage, depth: number): unknown {
    const api = this.#api;
    this.#weigh(passage, 0);
    switch (api._lua_type(state, index)) {
      case type.nil:
        return undefined;
      case type.boolean:
        return api._lua_toboolean(state, index) !== 0;
      case type.number:
        return api._lua_tonumberx(state, index, 0);
      case type.string:
        this.#weigh(passage, this.bytesAt(state, index).length);
        return this.readString(state, index);
      case type.table:
        return this.#readTable(state, index, passage, depth);
      case type.lightuserdata:
        return null;
      default:
        throw new KongTsError('LUA_FAILED', this.#style === 'kong' ? selfReference : notData);
    }
  }

  #readTable(state: State, index: number, passage: Passage, depth: number): unknown {
    const api = this.#api;
    if (depth > maxDepth || api._lua_checkstack(state, 8) === 0) {
      throw new KongTsError(
        'LUA_FAILED',
        `A table contains itself or nests more than ${maxDepth} levels deep.`,
      );
    }
    if (this.#style === 'kong') {
      const pointer = api._lua_topointer(state, index);
      // Kong refuses a table that comes twice, even where it does not contain itself.
      if (passage.seen.has(pointer)) throw new KongTsError('LUA_FAILED', selfReference);
      passage.seen.add(pointer);
    }
    const table = index < 0 ? api._lua_gettop(state) + 1 + index : index;
    const shape: TableShape = { keys: [], values: [] };
    api._lua_pushnil(state);
    while (api._lua_next(state, table) !== 0) {
      shape.values.push(this.#readValue(state, -1, passage, depth + 1));
      api._lua_settop(state, -2);
      shape.keys.push(this.#readKey(state, passage));
    }
    return buildTable(shape, this.#style === 'kong');
  }

  /** The key on top of the stack. It reads a copy: a number turned into a string in place would confuse lua_next. */
  #readKey(state: State, passage: Passage): string | number {
    const api = this.#api;
    const kind = api._lua_type(state, -1);
    if (kind === type.number) return api._lua_tonumberx(state, -1, 0);
    if (kind === type.string) {
      this.#weigh(passage, this.bytesAt(state, -1).length);
      return this.readString(state, -1);
    }
    if (kind === type.boolean && this.#style === 'text') return String(api._lua_toboolean(state, -1) !== 0);
    throw new KongTsError(
      'LUA_FAILED',
      this.#style === 'kong'
        ? 'Cannot serialise table: table key must be a number or string'
        : 'The keys of a table must be strings, numbers or booleans.',
    );
  }
}
