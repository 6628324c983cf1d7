import type { LuaApi, Pointer, State } from './machine.ts';

/** How many Lua instructions run between two looks at the clock. */
const hookEvery = 100;
const countMask = 8;
/**
 * A call that has looked at the clock at most this often has run next to nothing: the machine was busy with others, or
 * V8 was still compiling the WebAssembly. Such a call gets ten times its limit.
 */
const fewLooks = 50;
/** How many times its limit of wall time a call gets while its thread does not run. */
const starvedTimes = 10;
/** The processor time of this thread, in milliseconds; null where Node.js does not tell (before 23.9). */
const threadTime = (): number | null => {
  const usage = (process as { threadCpuUsage?: typeof process.cpuUsage }).threadCpuUsage?.();
  return usage === undefined ? null : (usage.user + usage.system) / 1000;
};
/** An allocation of this many bytes looks at the clock as well: string operations allocate, but run no instructions. */
const bigAllocation = 65_536;
/** How many steps of a library function, or values that cross the bridge, there are between two looks at the clock. */
const stepsPerLook = 20_000;
/** How many refused allocations end a call for good. Each one makes Lua collect its garbage, which takes long. */
const maxRefusals = 8;
const reasonSize = 12;

export interface Limits {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
}

/** Ends a library function, or the copying of a value, that works outside of Lua's instructions. */
export class LimitReached extends Error {}

/**
 * Bounds one Lua state in time and memory. The time is the wall time of one call. Time in which its thread did not run,
 * because the machine was busy with others, does not count, up to ten times the limit. When the time is over, every
 * instruction raises an error, so that `pcall` inside the Lua code cannot hold on. Work without instructions (patterns,
 * sorting, copying) counts its steps.
 */
export class Governor {
  /** Why the current call was ended, null while it is within its limits. */
  exceeded: 'time' | 'memory' | null = null;
  #used = 0;
  #looks = 0;
  #steps = 0;
  #refusals = 0;
  #isLenient = false;
  #deadline = Infinity;
  #began: number | null = null;
  readonly #api: LuaApi;
  readonly #limits: Limits;
  readonly #allocator: Pointer;
  readonly #hook: Pointer;
  readonly #reason: Pointer;

  constructor(api: LuaApi, limits: Limits) {
    this.#api = api;
    this.#limits = limits;
    this.#allocator = api.addFunction(
      (_userData = 0, pointer = 0, oldSize = 0, newSize = 0) => this.#allocate(pointer, oldSize, newSize),
      'iiiii',
    );
    this.#hook = api.addFunction((state = 0) => this.#check(state), 'vii');
    this.#reason = api._malloc(16);
    api.HEAPU8.set(Buffer.from('beyond limit'), this.#reason);
  }

  get memoryBytes(): number {
    return this.#limits.memoryBytes;
  }

  /** Whether the current call has been ended for good, whatever the Lua code caught. */
  get isOver(): boolean {
    return this.exceeded === 'time' || this.#refusals > maxRefusals;
  }

  /** A new state under these limits; 0 when even that does not fit. */
  newState(): State {
    return this.#api._lua_newstate(this.#allocator, 0);
  }

  begin(state: State): void {
    this.exceeded = null;
    this.#looks = 0;
    this.#steps = 0;
    this.#refusals = 0;
    this.#deadline = performance.now() + this.#limits.timeoutMs;
    this.#began = threadTime();
    this.#api._lua_sethook(state, this.#hook, countMask, hookEvery);
  }

  end(state: State): void {
    this.#deadline = Infinity;
    this.#api._lua_sethook(state, 0, 0, 0);
  }

  /**
   * Counts work that is done outside of Lua's instructions.
   *
   * @throws LimitReached when the call's time is over
   */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps < stepsPerLook) return;
    this.#steps = 0;
    if (this.#isLate()) {
      this.exceeded = 'time';
      throw new LimitReached('time limit');
    }
  }

  /**
   * Makes sure that bytes which are about to be allocated leniently fit.
   *
   * @throws LimitReached when they do not
   */
  reserve(bytes: number): void {
    if (bytes <= bigAllocation || this.#used + bytes <= this.#limits.memoryBytes) return;
    this.exceeded ??= 'memory';
    this.#refusals += 1;
    throw new LimitReached('not enough memory');
  }

  /**
   * Runs a function that allocates from JavaScript's side. No allocation is refused there: Lua would raise an error
   * through JavaScript, or abort where nothing can catch it. The caller bounds the size beforehand.
   */
  leniently<T>(work: () => T): T {
    const before = this.#isLenient;
    this.#isLenient = true;
    try {
      return work();
    } finally {
      this.#isLenient = before;
    }
  }

  /** Frees what belongs to the module; the state must be closed. */
  dispose(): void {
    this.#api.removeFunction(this.#allocator);
    this.#api.removeFunction(this.#hook);
    this.#api._free(this.#reason);
  }

  #allocate(pointer: Pointer, oldSize: number, newSize: number): Pointer {
    if (newSize === 0) {
      if (pointer !== 0) {
        this.#used -= oldSize;
        this.#api._free(pointer);
      }
      return 0;
    }
    // Where there is no old block, Lua passes the kind of the new object as the old size.
    const growth = newSize - (pointer === 0 ? 0 : oldSize);
    if (growth > 0 && !this.#isLenient && this.#refuses(growth)) return 0;
    const moved = this.#api._realloc(pointer, newSize);
    if (moved !== 0) this.#used += growth;
    return moved;
  }

  #refuses(growth: number): boolean {
    if (this.#used + growth > this.#limits.memoryBytes) {
      this.exceeded ??= 'memory';
      this.#refusals += 1;
      return true;
    }
    if (growth > bigAllocation && this.#isLate()) {
      this.exceeded = 'time';
      return true;
    }
    return false;
  }

  #isLate(): boolean {
    this.#looks += 1;
    const over = performance.now() - this.#deadline;
    if (!(over > 0)) return false;
    const { timeoutMs } = this.#limits;
    if (over > timeoutMs * starvedTimes) return true;
    if (this.#looks <= fewLooks) return false;
    const now = this.#began === null ? null : threadTime();
    return now === null || this.#began === null || now - this.#began >= timeoutMs;
  }

  #check(state: State): void {
    if (this.#refusals <= maxRefusals) {
      if (this.exceeded !== 'time' && !this.#isLate()) return;
      this.exceeded = 'time';
    }
    this.#api._lua_sethook(state, this.#hook, countMask, 1);
    this.leniently(() => this.#api._lua_pushlstring(state, this.#reason, reasonSize));
    this.#api._lua_error(state);
  }
}
