/** How long it is remembered that a target closes connections, in milliseconds. */
const rememberMs = 600_000;
const maxTargets = 1000;

/**
 * After how many answers targets close a connection. What is sent beyond that would go unanswered, and some servers work
 * on it all the same (RFC 9112, sections 9.3.2 and 9.6). Bounded: what was learned first is forgotten first.
 */
export class ClosingTargets {
  readonly #after = new Map<string, { answers: number; until: number }>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How many requests one connection is good for; Infinity where nothing else is known. */
  allowance(origin: string): number {
    const known = this.#after.get(origin);
    if (known === undefined) return Infinity;
    if (known.until > this.#now()) return known.answers;
    this.#after.delete(origin);
    return Infinity;
  }

  /** The target has closed a connection after so many answers. */
  closed(origin: string, answers: number): void {
    const least = Math.max(1, Math.min(answers, this.allowance(origin)));
    this.#remember(origin, least);
  }

  #remember(origin: string, answers: number): void {
    this.#after.delete(origin);
    this.#after.set(origin, { answers, until: this.#now() + rememberMs });
    if (this.#after.size <= maxTargets) return;
    const oldest = this.#after.keys().next();
    if (oldest.done !== true) this.#after.delete(oldest.value);
  }
}
