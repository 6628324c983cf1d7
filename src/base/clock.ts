/** The date, timers and chance, injected so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `ms`; the timer does not keep the process alive. */
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** From 0 to below 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, 2_147_483_647)).unref(),
  clearTimeout: (timer) => {
    clearTimeout(timer as NodeJS.Timeout);
  },
  random: () => Math.random(),
};

/** Time to measure with: it never goes back, whatever happens to the date. Injected, too. */
export interface SteadyClock {
  /** Milliseconds from a fixed point. */
  now(): number;
  /** Calls `tick` every so many milliseconds; the returned function stops it. Never keeps the process alive. */
  every(milliseconds: number, tick: () => void): () => void;
}

export const steadyClock: SteadyClock = {
  now: () => performance.now(),
  every(milliseconds, tick) {
    const timer = setInterval(tick, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
};
