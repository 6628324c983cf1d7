import { KongTsError, messageOf } from '../errors.ts';
import { Governor } from './limits.ts';
import { loadMachine, type LuaApi, type Pointer, type State } from './machine.ts';
import { patternsSource } from './patterns.ts';
import { preludeSource } from './prelude.ts';
import { ValueBridge } from './values.ts';

export interface LuaOptions {
  /** How long one call may take, in milliseconds of wall time. Default 1000. */
  timeoutMs?: number;
  /** How much memory the function and its data may use, in bytes. Default 16 MiB. */
  memoryBytes?: number;
  /**
   * What the Lua code finds as globals: values (copied), functions, and plain objects of them (`{ kong: { request:
   * { get_header(name) {...} } } }`). A function gets copies of its arguments; what it throws is a Lua error there.
   */
  globals?: Record<string, unknown>;
}

/** A compiled Lua chunk in a Lua state of its own. */
export interface LuaFunction {
  /**
   * Runs the chunk with the arguments as `...` and returns its first result, copied. When the chunk returns a
   * function, that function is kept and called with the arguments, now and from then on.
   *
   * @throws KongTsError LUA_FAILED when the code raises an error or returns what is not data, LUA_LIMIT when it
   *   exceeds its time or memory
   */
  call(...args: unknown[]): unknown;
  /** Frees its memory. It cannot be called any more. */
  close(): void;
}

/** How many steps a pattern may take before it is matched in a way that the time limit can end. */
const cheapPatternSteps = 2_000_000;
/** The smallest state with the sandbox in it takes about 60 KiB. */
const leastMemory = 131_072;
const errorInMemory = 4;

type HostFunction = (...args: unknown[]) => unknown;

class SandboxedFunction implements LuaFunction {
  private state: State = 0;
  private readonly api: LuaApi;
  private readonly governor: Governor;
  private readonly values: ValueBridge;
  private readonly functions: HostFunction[] = [];
  private readonly hostPointer: Pointer;

  constructor(api: LuaApi, source: string, options: LuaOptions) {
    this.api = api;
    const memoryBytes = Math.max(leastMemory, options.memoryBytes ?? 16 * 1024 * 1024);
    this.governor = new Governor(api, { timeoutMs: options.timeoutMs ?? 1000, memoryBytes });
    this.values = new ValueBridge(api);
    this.hostPointer = api.addFunction((state = 0) => this.callHost(state), 'ii');
    this.state = this.governor.newState();
    try {
      api._luaL_openlibs(this.state);
      this.prepare(memoryBytes);
      this.compile(source, options.globals ?? {});
    } catch (error) {
      this.close();
      throw error;
    }
  }

  call(...args: unknown[]): unknown {
    if (this.state === 0)
      throw new KongTsError('LUA_FAILED', 'The Lua function was closed and cannot be called.');
    const { api, state } = this;
    this.governor.begin(state);
    try {
      api._lua_pushvalue(state, 1);
      for (const argument of args) this.values.push(state, argument);
      this.run(args.length, 1);
      return this.values.read(state, -1);
    } finally {
      api._lua_settop(state, 1);
      this.governor.end(state);
    }
  }

  close(): void {
    if (this.state === 0) return;
    this.api._lua_close(this.state);
    this.state = 0;
    this.api.removeFunction(this.hostPointer);
    this.governor.dispose();
    this.values.dispose();
  }

  /** Leaves the function that compiles chunks on the stack. */
  private prepare(memoryBytes: number): void {
    const { api, state } = this;
    this.load(preludeSource, '=prelude');
    this.load(patternsSource, '=patterns');
    this.load('return string', '=strings');
    this.run(0, 1);
    this.values.push(state, cheapPatternSteps);
    this.run(2, 1);
    api._lua_pushcclosure(state, this.hostPointer, 0);
    this.values.push(state, memoryBytes);
    this.run(3, 1);
  }

  private compile(source: string, globals: Record<string, unknown>): void {
    const { api, state } = this;
    this.values.pushString(state, source);
    this.values.push(state, this.describe(globals));
    this.run(2, 2);
    if (api._lua_type(state, -2) === 0) {
      const problem = this.values.readString(state, -1);
      throw new KongTsError('LUA_INVALID', `The Lua source does not parse: ${problem}.`);
    }
    api._lua_settop(state, 1);
  }

  private load(source: string, name: string): void {
    const { api, state } = this;
    const text = Buffer.from(`${source}\0${name}\0t\0`, 'utf8');
    const at = api._malloc(text.length);
    api.HEAPU8.set(text, at);
    const size = Buffer.byteLength(source);
    const nameAt = at + size + 1;
    const status = api._luaL_loadbufferx(state, at, size, nameAt, nameAt + name.length + 1);
    api._free(at);
    if (status !== 0) throw this.failure(status);
  }

  private run(args: number, results: number): void {
    const status = this.api._lua_pcallk(this.state, args, results, 0, 0, 0);
    if (status !== 0 || this.governor.exceeded === 'time') throw this.failure(status);
  }

  private failure(status: number): KongTsError {
    if (this.governor.exceeded === 'time') {
      return new KongTsError('LUA_LIMIT', 'The Lua code ran longer than its time limit.');
    }
    if (status === errorInMemory || (status !== 0 && this.governor.exceeded === 'memory')) {
      return new KongTsError('LUA_LIMIT', 'The Lua code needed more memory than its limit.');
    }
    const thrown = this.values.read(this.state, -1);
    return new KongTsError('LUA_FAILED', typeof thrown === 'string' ? thrown : messageOf(thrown));
  }

  /** Replaces functions by their index; groups are marked, so that they become read-only tables. */
  private describe(globals: Record<string, unknown>): Record<string, unknown> {
    const described: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(globals)) {
      if (typeof value === 'function') {
        described[name] = { __function: this.functions.push(value as HostFunction) };
      } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        described[name] = { __group: this.describe(value as Record<string, unknown>) };
      } else described[name] = value;
    }
    return described;
  }

  private callHost(state: State): number {
    const { api } = this;
    const count = api._lua_gettop(state);
    let ok = true;
    let value: unknown;
    try {
      const run = this.functions[api._lua_tonumberx(state, 1, 0) - 1];
      if (run === undefined) throw new KongTsError('LUA_FAILED', 'no such function');
      const args: unknown[] = [];
      for (let i = 2; i <= count; i++) args.push(this.values.read(state, i));
      value = run(...args);
    } catch (error) {
      ok = false;
      value = messageOf(error);
    }
    api._lua_settop(state, 0);
    api._lua_pushboolean(state, ok ? 1 : 0);
    this.values.push(state, value);
    return 2;
  }
}

/**
 * Compiles Lua for many calls. The code runs sandboxed: no files, no processes, no network, no loading of code, bounded
 * in time and memory. It sees what Kong's own sandbox offers, with LuaJIT's library; the language is Lua 5.4.
 *
 * @throws KongTsError LUA_INVALID when the source does not parse
 */
export async function createLuaFunction(source: string, options: LuaOptions = {}): Promise<LuaFunction> {
  return new SandboxedFunction(await loadMachine(), source, options);
}

/**
 * Checks that a source parses, without running it.
 *
 * @throws KongTsError LUA_INVALID with the line
 */
export async function checkLua(source: string): Promise<void> {
  (await createLuaFunction(source)).close();
}
