/** How long it is remembered that a target closes connections, in milliseconds. */
const rememberMs = 600_000;

/**
 * How many requests one connection to a target is good for. Requests beyond that go unanswered, although some servers
 * work on them (RFC 9112, sections 9.3.2 and 9.6).
 */
export class ClosingLimit {
  #answers = Infinity;
  #until = 0;
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Infinity if nothing is known. */
  get allowance(): number {
    if (this.#answers !== Infinity && this.#until <= this.#now()) this.#answers = Infinity;
    return this.#answers;
  }

  /** The target has closed a connection after so many answers, or failed with more requests on it. */
  closed(answers: number): void {
    this.#answers = Math.max(1, Math.min(answers, this.allowance));
    this.#until = this.#now() + rememberMs;
  }
}
