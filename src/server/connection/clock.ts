/** Time as the server sees it; tests give one that they move themselves. */
export interface Clock {
  /** Milliseconds from a fixed point, never going back. */
  now(): number;
  /** Calls `tick` every `milliseconds`; the returned function stops it. Never keeps the process alive. */
  every(milliseconds: number, tick: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  every(millisecondsMs, tick) {
    const timer = setInterval(tick, millisecondsMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};
