/** Lets so many rows a second pass, spread over the second, and counts those that it holds back. */
export class Sampler {
  readonly #perSecond: number;
  readonly #most: number;
  #left: number;
  #at: number;
  #skipped: Record<string, number> = {};

  /** @param now milliseconds of the clock */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#most = Math.max(1, perSecond / 10);
    this.#left = this.#most;
    this.#at = now;
  }

  /** @param type by which what is held back is counted */
  passes(type: string, now: number): boolean {
    // A clock that goes back gives nothing.
    const passed = Math.max(0, now - this.#at);
    this.#left = Math.min(this.#most, this.#left + (passed * this.#perSecond) / 1000);
    this.#at = now;
    if (this.#left >= 1) {
      this.#left -= 1;
      return true;
    }
    this.#skipped[type] = (this.#skipped[type] ?? 0) + 1;
    return false;
  }

  /** What was held back since the last call; null: nothing. */
  takeSkipped(): Readonly<Record<string, number>> | null {
    if (Object.keys(this.#skipped).length === 0) return null;
    const skipped = this.#skipped;
    this.#skipped = {};
    return skipped;
  }
}
