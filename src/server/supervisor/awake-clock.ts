/** How often a process looks whether it is awake, in milliseconds. */
const everyMs = 100;
/** What lies between two looks counts as this much at most: a timer is often a little late. Milliseconds. */
const mostMs = 2 * everyMs;

/**
 * The time during which this process could have heard something, in milliseconds. It stands still while the process is
 * stopped, or gets no processor: what others sent in that time has come, but could not be read. So the silence of a
 * worker is told by it, and not by the time of day.
 */
export class AwakeClock {
  readonly #nowMs: () => number;
  readonly #timer: NodeJS.Timeout;
  #awakeMs = 0;
  #lastAtMs: number;

  /** @param nowMs monotonic time in milliseconds, from any beginning */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#lastAtMs = nowMs();
    this.#timer = setInterval(() => {
      this.look();
    }, everyMs).unref();
  }

  /** From any beginning. */
  now(): number {
    return this.#awakeMs + this.#sinceMs();
  }

  /** Called each time the process has turned its event loop. */
  look(): void {
    this.#awakeMs += this.#sinceMs();
    this.#lastAtMs = this.#nowMs();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sinceMs(): number {
    return Math.min(this.#nowMs() - this.#lastAtMs, mostMs);
  }
}
