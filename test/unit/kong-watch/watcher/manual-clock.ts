import type { Clock } from '../../../../src/base/clock.ts';

/** A clock that goes only where a test moves it; its timers never fire by themselves. */
export class ManualClock implements Clock {
  #now = 1_800_000_000_000;

  now(): number {
    return this.#now;
  }
  skip(ms: number): void {
    this.#now += ms;
  }
  setTimeout(): unknown {
    return null;
  }
  clearTimeout(): void {
    // Nothing was started.
  }
  random(): number {
    return 0.5;
  }
}
