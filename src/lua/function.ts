import { KongTsError, messageOf } from '../base/errors.ts';
import { Governor, LimitReached } from './limits.ts';
import type { LuaApi, Pointer, State } from './machine.ts';
import { loadMachine } from './machine.ts';
import { Natives } from './natives.ts';
import { numbersSource, realSource, stringsSource, tablesSource, worldSource } from './prelude/prelude.ts';
import { joinName, remainderName, translate } from './syntax/translate.ts';
import type { ValueStyle } from './values.ts';
import { ValueBridge } from './values.ts';

export interface LuaOptions {
  /** How long one call may take, in milliseconds of wall time. Default 1000. */
  timeoutMs?: number;
  /** How much memory the function and its data may use, in bytes. Default 16 MiB. */
  memoryBytes?: number;
  /**
   * What the Lua code finds as globals: values (copied), functions, and plain objects of them (`{ kong: { request: {
   * get_header(name) {...} } } }`). A function gets copies of its arguments. An error that it throws is a Lua error
   * there.
   */
  globals?: Record<string, unknown>;
  /**
   * A chunk of Lua 5.4 from the host, run once, outside of the sandbox. It gets the groups of `globals`, whose
   * functions it can call, and returns a table of what it adds to them. Default: none.
   */
  library?: string;
  /**
   * How values cross.
   * - `text` (the default): strings are text; a byte b that is not UTF-8 is U+DC00 + b; null is nil. A function that
   *   the chunk returns is kept and called.
   * - `kong`: strings have one character per byte, null is `ngx.null`, tables become what Kong's JSON encoder makes of
   *   them, and a function is not a result.
   */
  values?: ValueStyle;
}

/** A compiled Lua chunk in a Lua state of its own. */
export interface LuaFunction {
  /**
   * Runs the chunk with the arguments as `...` and returns a copy of its first result. A function that the chunk
   * returns is kept; this and each later call runs that function with the arguments (not with `values: 'kong'`).
   *
   * @throws KongTsError LUA_FAILED when the code raises an error or returns what is not data, LUA_LIMIT when it exceeds
   * its time or memory
   */
  call(...args: unknown[]): unknown;
  /** The same with all results (16 at most). */
  callAll(...args: unknown[]): unknown[];
  /** Frees its memory. It cannot be called any more. */
  close(): void;
}

/** The smallest state with the sandbox in it takes about 120 KiB. */
const leastMemory = 262_144;
const errorInMemory = 4;
/** Lua's words for it. */
const noMemory = 'not enough memory';
const maxResults = 16;
const allResults = -1;
/** The most of an error's message that goes into logs and answers, in characters. */
const maxMessage = 1000;
const stringType = 4;

type HostFunction = (...args: unknown[]) => unknown;

class SandboxedFunction implements LuaFunction {
  #state: State = 0;
  #isClosed = false;
  readonly #api: LuaApi;
  readonly #governor: Governor;
  readonly #values: ValueBridge;
  readonly #natives: Natives;
  readonly #functions: HostFunction[] = [];
  readonly #hostPointer: Pointer;

  constructor(api: LuaApi, source: string, options: LuaOptions) {
    const text = translate(source);
    const style = options.values ?? 'text';
    this.#api = api;
    const memoryBytes = Math.max(leastMemory, options.memoryBytes ?? 16 * 1024 * 1024);
    this.#governor = new Governor(api, { timeoutMs: options.timeoutMs ?? 1000, memoryBytes });
    this.#values = new ValueBridge(api, this.#governor, style);
    this.#natives = new Natives(api, this.#governor, this.#values);
    this.#hostPointer = api.addFunction((state = 0) => this.#callHost(state), 'ii');
    this.#state = this.#governor.newState();
    try {
      if (this.#state === 0) throw this.#failure(errorInMemory);
      this.#governor.leniently(() => {
        api._luaL_openlibs(this.#state);
        this.#prepare(memoryBytes, style);
      });
      this.#compile(text, options);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  call(...args: unknown[]): unknown {
    return this.#enter(args)[0];
  }

  callAll(...args: unknown[]): unknown[] {
    return this.#enter(args);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#state !== 0) this.#api._lua_close(this.#state);
    this.#state = 0;
    this.#api.removeFunction(this.#hostPointer);
    this.#natives.dispose();
    this.#governor.dispose();
    this.#values.dispose();
  }

  #enter(args: readonly unknown[]): unknown[] {
    if (this.#state === 0)
      throw new KongTsError('LUA_FAILED', 'The Lua function was closed and cannot be called.');
    const api = this.#api;
    const state = this.#state;
    this.#governor.begin(state);
    try {
      this.#governor.leniently(() => api._lua_pushvalue(state, 1));
      for (const argument of args) this.#values.push(state, argument);
      this.#run(args.length, allResults);
      const count = Math.min(maxResults, api._lua_gettop(state) - 1);
      return Array.from({ length: count }, (_, i) => this.#values.read(state, i + 2));
    } catch (error) {
      throw error instanceof LimitReached ? this.#failure(0) : error;
    } finally {
      api._lua_settop(state, 1);
      this.#governor.end(state);
    }
  }

  /** Leaves the function that compiles chunks on the stack. */
  #prepare(memoryBytes: number, style: ValueStyle): void {
    const api = this.#api;
    const state = this.#state;
    const values = this.#values;
    // 1: the real libraries, 2: kit, 3: match, 4: spend, 5: strings, 6: tables
    this.#load(realSource, '=real');
    this.#run(0, 1);
    this.#load(numbersSource, '=numbers');
    api._lua_pushvalue(state, 1);
    this.#run(1, 1);
    this.#natives.push(state);
    this.#load(stringsSource, '=strings');
    for (const index of [2, 3, 4]) api._lua_pushvalue(state, index);
    values.push(state, memoryBytes);
    this.#run(4, 1);
    this.#load(tablesSource, '=tables');
    for (const index of [2, 4]) api._lua_pushvalue(state, index);
    this.#run(2, 1);
    this.#load(worldSource, '=world');
    for (const index of [2, 5, 6]) api._lua_pushvalue(state, index);
    api._lua_pushcclosure(state, this.#hostPointer, 0);
    values.pushBytes(state, joinName);
    values.pushBytes(state, remainderName);
    api._lua_pushlightuserdata(state, 0);
    values.pushBytes(state, style);
    this.#run(8, 1);
    api._lua_rotate(state, 1, 1);
    api._lua_settop(state, 1);
  }

  #compile(text: string, options: LuaOptions): void {
    const api = this.#api;
    const state = this.#state;
    this.#governor.leniently(() => {
      this.#values.pushBytes(state, text);
      this.#values.push(state, this.#describe(options.globals ?? {}));
      if (options.library === undefined) api._lua_pushnil(state);
      else this.#values.pushBytes(state, Buffer.from(options.library).toString('latin1'));
    });
    this.#run(3, 2);
    if (api._lua_type(state, -2) === 0) {
      const problem = this.#values.readString(state, -1);
      if (problem === noMemory) throw this.#failure(errorInMemory);
      throw new KongTsError('LUA_INVALID', `The Lua source does not parse: ${problem}.`);
    }
    api._lua_settop(state, 1);
  }

  #load(source: string, name: string): void {
    const api = this.#api;
    const state = this.#state;
    const text = Buffer.from(`${source}\0${name}\0t\0`, 'utf8');
    const at = api._malloc(text.length);
    api.HEAPU8.set(text, at);
    const size = Buffer.byteLength(source);
    const nameAt = at + size + 1;
    const status = api._luaL_loadbufferx(state, at, size, nameAt, nameAt + name.length + 1);
    api._free(at);
    if (status !== 0) throw this.#failure(status);
  }

  #run(args: number, results: number): void {
    const status = this.#api._lua_pcallk(this.#state, args, results, 0, 0, 0);
    if (status !== 0 || this.#governor.isOver) throw this.#failure(status);
  }

  #failure(status: number): KongTsError {
    const { exceeded } = this.#governor;
    if (exceeded === 'time')
      return new KongTsError('LUA_LIMIT', 'The Lua code ran longer than its time limit.');
    if (exceeded === 'memory') {
      return new KongTsError('LUA_LIMIT', 'The Lua code needed more memory than its limit.');
    }
    if (status === errorInMemory) return new KongTsError('LUA_FAILED', 'There is no memory left for Lua.');
    return new KongTsError('LUA_FAILED', this.#thrown());
  }

  /** The text of the error on the stack. An error that is not text is named as Kong names it. */
  #thrown(): string {
    const kind = this.#api._lua_type(this.#state, -1);
    if (kind === stringType) return this.#values.readString(this.#state, -1).slice(0, maxMessage);
    if (kind === 3) return String(this.#api._lua_tonumberx(this.#state, -1, 0));
    return `(error object is a ${['nil', 'boolean', 'userdata', 'number', 'string', 'table'][kind] ?? 'function'} value)`;
  }

  /** Replaces functions by their index; groups are marked. */
  #describe(globals: Record<string, unknown>): Record<string, unknown> {
    const described: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(globals)) {
      if (typeof value === 'function') {
        described[name] = { __function: this.#functions.push(value as HostFunction) };
      } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        described[name] = { __group: this.#describe(value as Record<string, unknown>) };
      } else described[name] = value;
    }
    return described;
  }

  #callHost(state: State): number {
    const api = this.#api;
    const governor = this.#governor;
    return governor.leniently(() => {
      try {
        governor.spend(20);
        const run = this.#functions[api._lua_tonumberx(state, 1, 0) - 1];
        if (run === undefined) throw new KongTsError('LUA_FAILED', 'no such function');
        const count = api._lua_gettop(state);
        const args: unknown[] = [];
        for (let i = 2; i <= count; i++) args.push(this.#values.read(state, i));
        const value = run(...args);
        api._lua_settop(state, 0);
        api._lua_pushboolean(state, 1);
        this.#values.push(state, value);
      } catch (error) {
        api._lua_settop(state, 0);
        api._lua_pushboolean(state, 0);
        this.#values.pushBytes(state, Buffer.from(messageOf(error).slice(0, maxMessage)).toString('latin1'));
      }
      return 2;
    });
  }
}

/**
 * Compiles Lua for many calls. The code runs sandboxed: no files, no processes, no network, no loading of code, bounded
 * in time and memory. It sees what Kong's own sandbox offers, with LuaJIT's syntax, numbers and library, though it runs
 * in Lua 5.4.
 *
 * @throws KongTsError LUA_INVALID when the source does not parse
 */
export async function createLuaFunction(source: string, options: LuaOptions = {}): Promise<LuaFunction> {
  return new SandboxedFunction(await loadMachine(), source, options);
}

/**
 * Checks that a source compiles, without running it.
 *
 * @throws KongTsError LUA_INVALID with the line
 */
export async function checkLua(source: string): Promise<void> {
  (await createLuaFunction(source)).close();
}
