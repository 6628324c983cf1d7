/** At most so many at a time, shared by the hooks of one target. */
export class Gate {
  readonly #max: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place. If there is none, the gate calls `again` once, when there may be one. */
  enter(again: () => void): boolean {
    if (this.#taken < this.#max) {
      this.#taken += 1;
      return true;
    }
    this.#waiting.add(again);
    return false;
  }

  leave(): void {
    this.#taken -= 1;
    // A caller that is woken may not want the place any more. So the gate offers it until somebody takes it.
    for (const again of this.#waiting) {
      if (this.#taken >= this.#max) return;
      this.#waiting.delete(again);
      again();
    }
  }
}

/** At most so many per second, with bursts up to one second's worth. */
export class Rate {
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = Math.max(1, perSecond);
    this.#at = now;
  }

  /** @returns how many milliseconds until there is one, 0 when there is */
  wait(now: number): number {
    const burst = Math.max(1, this.#perSecond);
    // If the clock was set back, nothing is lost.
    const passed = Math.max(0, now - this.#at);
    this.#tokens = Math.min(burst, this.#tokens + (passed / 1000) * this.#perSecond);
    this.#at = now;
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000));
  }

  /** @returns 0 when one was taken, else how many milliseconds until there is one */
  take(now: number): number {
    const wait = this.wait(now);
    if (wait === 0) this.#tokens -= 1;
    return wait;
  }
}

/** Takes one from every rate, or none from any. @returns 0, or how many milliseconds until all have one */
export function takeFrom(rates: readonly (Rate | null)[], now: number): number {
  let wait = 0;
  for (const rate of rates) if (rate !== null) wait = Math.max(wait, rate.wait(now));
  if (wait === 0) for (const rate of rates) rate?.take(now);
  return wait;
}
