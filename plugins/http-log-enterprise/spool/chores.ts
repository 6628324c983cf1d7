import type { Clock } from '../queue/clock.ts';

/** Work that goes on beside the appends. Its errors are reported, and a stop waits for it. */
export class Chores {
  readonly #timers = new Set<() => void>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;
  readonly #clock: Clock;
  readonly report: (error: unknown) => void;

  constructor(clock: Clock, report: (error: unknown) => void) {
    this.#clock = clock;
    this.report = report;
  }

  /** Does something again and again, `intervalMs` after the last time has ended. */
  every(intervalMs: number, work: () => Promise<void>): void {
    if (this.#stopped) return;
    const cancel = this.#clock.after(intervalMs, () => {
      this.#timers.delete(cancel);
      this.run(work().finally(() => this.every(intervalMs, work)));
    });
    this.#timers.add(cancel);
  }

  run(work: Promise<void>): void {
    const guarded = work.catch(this.report);
    this.#running.add(guarded);
    void guarded.finally(() => this.#running.delete(guarded));
  }

  /** Starts nothing any more. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#timers) cancel();
  }

  /** Resolves when the running work has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running]);
  }
}
