import type { Governor } from './limits.ts';
import { LimitReached } from './limits.ts';
import type { LuaApi, Pointer, State } from './machine.ts';
import type { Match } from '../lua-pattern/index.ts';
import { findPlain, PatternError, PatternMatcher } from '../lua-pattern/index.ts';
import type { ValueBridge } from './values.ts';

/**
 * `search` looks for the first match and minds a leading `^`, `scan` does not, `step` matches at one place, `plain` looks
 * for a text.
 */
const mode = { search: 0, step: 1, plain: 2, scan: 3 } as const;

/**
 * The functions of JavaScript that the prelude is built on. Each leaves `true` and its results, or `false` and the text
 * of an error, which the prelude raises: an error must not be raised through JavaScript.
 */
export class Natives {
  readonly #api: LuaApi;
  readonly #governor: Governor;
  readonly #values: ValueBridge;
  readonly #pointers: Pointer[];

  constructor(api: LuaApi, governor: Governor, values: ValueBridge) {
    this.#api = api;
    this.#governor = governor;
    this.#values = values;
    const native = (run: (state: State) => number): Pointer =>
      api.addFunction((state = 0) => governor.leniently(() => this.#guarded(state, run)), 'ii');
    this.#pointers = [native((state) => this.#match(state)), native((state) => this.#spend(state))];
  }

  /** Pushes `match(text, pattern, init, mode, from)` and `spend(steps)`. */
  push(state: State): number {
    for (const pointer of this.#pointers) this.#api._lua_pushcclosure(state, pointer, 0);
    return this.#pointers.length;
  }

  dispose(): void {
    for (const pointer of this.#pointers) this.#api.removeFunction(pointer);
  }

  #guarded(state: State, run: (state: State) => number): number {
    try {
      return run(state);
    } catch (error) {
      if (!(error instanceof LimitReached) && !(error instanceof PatternError)) throw error;
      this.#api._lua_settop(state, 0);
      this.#api._lua_pushboolean(state, 0);
      this.#values.pushBytes(state, error.message);
      return 2;
    }
  }

  #spend(state: State): number {
    this.#governor.spend(this.#api._lua_tonumberx(state, 1, 0));
    this.#api._lua_pushboolean(state, 1);
    return 1;
  }

  /** The prelude has made sure of the types: two strings and three numbers. */
  #match(state: State): number {
    const api = this.#api;
    const governor = this.#governor;
    const text = this.#values.bytesAt(state, 1);
    const pattern = this.#values.bytesAt(state, 2);
    const init = api._lua_tonumberx(state, 3, 0) - 1;
    const kind = api._lua_tonumberx(state, 4, 0);
    governor.spend(50);
    if (kind === mode.plain) {
      governor.spend((text.length - init + pattern.length) >> 3);
      const at = findPlain(text, pattern, init);
      return this.#answer(state, at < 0 ? [] : [at + 1, at + pattern.length]);
    }
    const matcher = new PatternMatcher(text, pattern, (steps) => governor.spend(steps));
    const match =
      kind === mode.step
        ? matcher.matchAt(init, api._lua_tonumberx(state, 5, 0))
        : matcher.find(init, kind === mode.search);
    if (match === null) return this.#answer(state, []);
    this.#answer(state, [match.start + 1, match.end]);
    return 3 + this.#captures(state, match);
  }

  #answer(state: State, numbers: readonly number[]): number {
    this.#api._lua_pushboolean(state, 1);
    for (const number of numbers) this.#api._lua_pushnumber(state, number);
    return 1 + numbers.length;
  }

  /** Pushes each capture from where it stands in the text. The text is on the stack, and so it does not move. */
  #captures(state: State, match: Match): number {
    const api = this.#api;
    this.#governor.reserve(match.captures.reduce((size, { length }) => size + Math.max(0, length), 0));
    api._lua_checkstack(state, match.captures.length + 4);
    for (const { start, length } of match.captures) {
      if (length === -2) api._lua_pushnumber(state, start + 1);
      else {
        this.#governor.spend(length >> 6);
        const text = api._lua_tolstring(state, 1, 0);
        api._lua_pushlstring(state, text + start, length);
      }
    }
    return match.captures.length;
  }
}
