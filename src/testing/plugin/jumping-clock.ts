import type { SteadyClock } from '../../base/clock.ts';
import { steadyClock } from '../../base/clock.ts';

/** The system's time, which can be put forward: what waits for a deadline then meets it at once. */
export class JumpingClock implements SteadyClock {
  #ahead = 0;
  readonly #ticks = new Set<() => void>();

  now(): number {
    return steadyClock.now() + this.#ahead;
  }

  every(milliseconds: number, tick: () => void): () => void {
    const stop = steadyClock.every(milliseconds, tick);
    this.#ticks.add(tick);
    return () => {
      this.#ticks.delete(tick);
      stop();
    };
  }

  /** Lets time pass. @param milliseconds how much */
  jump(milliseconds: number): void {
    this.#ahead += milliseconds;
    for (const tick of [...this.#ticks]) tick();
  }
}
