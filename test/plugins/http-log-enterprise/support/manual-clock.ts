import type { Clock } from '../../../../plugins/http-log-enterprise/queue/clock.ts';

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #time = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#time;
  }

  wall(): number {
    return 1_795_282_133_000 + this.#time;
  }

  after(delay: number, run: () => void): () => void {
    const timer = { at: this.#time + delay, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass; timers run in order, with the promises between them. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#time + milliseconds;
    for (;;) {
      await settle();
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#time = Math.max(this.#time, next.at);
      next.run();
    }
    this.#time = until;
  }

  /** Time passes at once, as for a machine that sleeps: what should have run meanwhile runs once, at the end of it. */
  async jump(milliseconds: number): Promise<void> {
    this.#time += milliseconds;
    await this.advance(0);
  }
}

/** Lets everything that waits for promises only run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
