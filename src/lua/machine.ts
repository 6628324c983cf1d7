import type { LuaWasm } from 'wasmoon';

/** A `lua_State*` inside the WebAssembly module. */
export type State = number;
/** An address inside the module's memory. */
export type Pointer = number;

/** The functions of Lua's C API that this folder uses, as the WebAssembly module exports them. */
export interface LuaApi {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  addFunction(run: (...args: number[]) => number | void, signature: string): Pointer;
  removeFunction(pointer: Pointer): void;
  _malloc(size: number): Pointer;
  _free(pointer: Pointer): void;
  _realloc(pointer: Pointer, size: number): Pointer;
  _lua_newstate(allocator: Pointer, userData: Pointer): State;
  _lua_close(state: State): void;
  _luaL_openlibs(state: State): void;
  _luaL_loadbufferx(state: State, text: Pointer, size: number, name: Pointer, mode: Pointer): number;
  _lua_pcallk(
    state: State,
    args: number,
    results: number,
    handler: number,
    context: number,
    k: number,
  ): number;
  _lua_error(state: State): number;
  _lua_sethook(state: State, hook: Pointer, mask: number, count: number): void;
  _lua_gettop(state: State): number;
  _lua_settop(state: State, index: number): void;
  _lua_checkstack(state: State, extra: number): number;
  _lua_pushvalue(state: State, index: number): void;
  _lua_pushnil(state: State): void;
  _lua_pushboolean(state: State, value: number): void;
  _lua_pushnumber(state: State, value: number): void;
  _lua_pushinteger(state: State, value: bigint): void;
  _lua_pushlstring(state: State, text: Pointer, size: number): Pointer;
  _lua_pushlightuserdata(state: State, pointer: Pointer): void;
  _lua_topointer(state: State, index: number): Pointer;
  _lua_rotate(state: State, index: number, n: number): void;
  _lua_pushcclosure(state: State, run: Pointer, upvalues: number): void;
  _lua_createtable(state: State, items: number, members: number): void;
  _lua_rawset(state: State, index: number): void;
  _lua_rawseti(state: State, index: number, key: bigint): void;
  _lua_next(state: State, index: number): number;
  _lua_type(state: State, index: number): number;
  _lua_toboolean(state: State, index: number): number;
  _lua_tonumberx(state: State, index: number, isNumber: Pointer): number;
  _lua_tolstring(state: State, index: number, size: Pointer): Pointer;
}

let loading: Promise<LuaApi> | null = null;

/**
 * Lua 5.4 as WebAssembly (wasmoon), one module per process, loaded when the first function is made (about 20 ms).
 *
 * Why wasmoon and not fengari: fengari (Lua 5.3 in JavaScript) has no memory limit, because its tables and strings are
 * JavaScript's own, keeps the prototype of every host object one mistake away, runs several times slower, and sees a
 * release a year. Lua in WebAssembly has its own memory behind an allocator that can refuse, and real hooks. This
 * folder uses only the compiled Lua of wasmoon. wasmoon's bridge hands out JavaScript objects; here only copied data
 * crosses.
 */
export function loadMachine(): Promise<LuaApi> {
  loading ??= import('wasmoon').then(async (wasmoon) => {
    const wasm: LuaWasm = await new wasmoon.LuaFactory().getLuaModule();
    return wasm.module as unknown as LuaApi;
  });
  return loading;
}
