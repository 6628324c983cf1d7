import type { LuaApi, Pointer, State } from './machine.ts';

/** How many Lua instructions run between two looks at the clock. */
const hookEvery = 200;
const countMask = 8;
/**
 * A call that has looked at the clock so few times has run next to nothing: the machine was busy with others, or the
 * WebAssembly was being compiled. It gets ten times its limit.
 */
const fewLooks = 50;
/** An allocation of this many bytes looks at the clock as well: string operations allocate, but run no instructions. */
const bigAllocation = 65_536;

export interface Limits {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
}

/**
 * Bounds one Lua state in time and memory. Time is wall time of one call. Once it is over, every instruction raises
 * an error, so that `pcall` inside the Lua code cannot hold on.
 */
export class Governor {
  /** Why the current call was ended, null while it is within its limits. */
  exceeded: 'time' | 'memory' | null = null;
  private used = 0;
  private looks = 0;
  private deadline = Infinity;
  private readonly api: LuaApi;
  private readonly limits: Limits;
  private readonly allocator: Pointer;
  private readonly hook: Pointer;
  private readonly reason: Pointer;

  constructor(api: LuaApi, limits: Limits) {
    this.api = api;
    this.limits = limits;
    this.allocator = api.addFunction(
      (_userData = 0, pointer = 0, oldSize = 0, newSize = 0) => this.allocate(pointer, oldSize, newSize),
      'iiiii',
    );
    this.hook = api.addFunction((state = 0) => this.check(state), 'vii');
    this.reason = api._malloc(16);
    api.HEAPU8.set(Buffer.from('time limit'), this.reason);
  }

  get memoryUsed(): number {
    return this.used;
  }

  /** A new state under these limits; 0 when even that does not fit. */
  newState(): State {
    return this.api._lua_newstate(this.allocator, 0);
  }

  begin(state: State): void {
    this.exceeded = null;
    this.looks = 0;
    this.deadline = performance.now() + this.limits.timeoutMs;
    this.api._lua_sethook(state, this.hook, countMask, hookEvery);
  }

  end(state: State): void {
    this.deadline = Infinity;
    this.api._lua_sethook(state, 0, 0, 0);
  }

  /** Frees what belongs to the module; the state must be closed. */
  dispose(): void {
    this.api.removeFunction(this.allocator);
    this.api.removeFunction(this.hook);
    this.api._free(this.reason);
  }

  private allocate(pointer: Pointer, oldSize: number, newSize: number): Pointer {
    if (newSize === 0) {
      if (pointer !== 0) {
        this.used -= oldSize;
        this.api._free(pointer);
      }
      return 0;
    }
    // Without a block, Lua passes a kind of object as the old size.
    const growth = newSize - (pointer === 0 ? 0 : oldSize);
    if (growth > 0) {
      if (this.used + growth > this.limits.memoryBytes) {
        this.exceeded ??= 'memory';
        return 0;
      }
      if (growth > bigAllocation && this.isOver()) {
        this.exceeded = 'time';
        return 0;
      }
    }
    const moved = this.api._realloc(pointer, newSize);
    if (moved !== 0) this.used += growth;
    return moved;
  }

  private isOver(): boolean {
    this.looks += 1;
    const over = performance.now() - this.deadline;
    if (!(over > 0)) return false;
    return this.looks > fewLooks || over > this.limits.timeoutMs * 10;
  }

  private check(state: State): void {
    if (!this.isOver()) return;
    this.exceeded = 'time';
    this.api._lua_sethook(state, this.hook, countMask, 1);
    this.api._lua_pushlstring(state, this.reason, 10);
    this.api._lua_error(state);
  }
}
