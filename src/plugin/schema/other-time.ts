/** Milliseconds from now: this moment, another one, and a time with other years, days, hours and minutes. */
export const times: readonly number[] = [0, 1, 100_045_296_789];

/**
 * The answer of a function while the clock of this process is shifted.
 *
 * @param shiftMs milliseconds
 * @throws the function's own error
 */
export function atTime<T>(shiftMs: number, ask: () => T): T {
  const real = Date;
  const now = (): number => real.now() + shiftMs;
  globalThis.Date = new Proxy(real, {
    apply: () => new real(now()).toString(),
    construct: (target, given: unknown[], newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
    get: (target, name, receiver) =>
      name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown),
  });
  try {
    return ask();
  } finally {
    globalThis.Date = real;
  }
}
