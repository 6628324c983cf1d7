import type { Clock } from '../../base/clock.ts';

/** Waits for quiet: editors save in several steps, a checkout writes hundreds of files. */
export class Quiet {
  readonly #clock: Clock;
  readonly #calmMs: number;
  readonly #mostMs: number;
  readonly #over: () => void;
  #timer: unknown = null;
  #since = 0;

  /**
   * @param calmMs milliseconds without a further call
   * @param mostMs milliseconds after which `over` is called although it does not become quiet
   */
  constructor(clock: Clock, calmMs: number, mostMs: number, over: () => void) {
    this.#clock = clock;
    this.#calmMs = calmMs;
    this.#mostMs = mostMs;
    this.#over = over;
  }

  /** Something has happened. */
  stir(): void {
    const now = this.#clock.now();
    if (this.#timer === null) this.#since = now;
    else this.#clock.clearTimeout(this.#timer);
    const waitMs = Math.max(0, Math.min(this.#calmMs, this.#since + this.#mostMs - now));
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#over();
    }, waitMs);
  }

  stop(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
