/** How long it is remembered that a target closes connections, in milliseconds. */
const rememberMs = 600_000;
const maxTargets = 1000;

/**
 * Remembers after how many answers each target closes a connection. Requests beyond that would go unanswered, although
 * some servers work on them (RFC 9112, sections 9.3.2 and 9.6). Bounded: the oldest entries go first.
 */
export class ClosingTargets {
  readonly #after = new Map<string, { answers: number; until: number }>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How many requests one connection is good for; Infinity if nothing is known. */
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
