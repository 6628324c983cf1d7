/** Time as the state machines see it; tests put their own in its place. Milliseconds. */
export interface Clock {
  /** Monotonic, of no particular origin. */
  now(): number;
  /** Milliseconds since 1970. */
  wall(): number;
  /** Calls `run` after `delay`; the result cancels it. Does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, 0x7fffffff));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
