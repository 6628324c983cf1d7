import { createHash } from 'node:crypto';

interface Memory {
  /** Digest of the payload that fired last. */
  digest: string;
  /** No firing before this time (snooze), in milliseconds. */
  quietUntil: number;
}

export interface SuppressionRule {
  onChange: boolean;
  /** Milliseconds. */
  snoozeMs: number;
}

/**
 * Remembers, per hook and identity, what fired last and when. Bounded: the identity that was not seen for the longest
 * time is forgotten first (and then fires again).
 */
export class Suppression {
  readonly #memory = new Map<string, Memory>();
  readonly #max: number;

  /** @param max identities kept over all hooks */
  constructor(max = 100_000) {
    this.#max = max;
  }

  get size(): number {
    return this.#memory.size;
  }

  /**
   * Whether the event fires. A firing is remembered; an event that does not fire changes nothing, so that a payload
   * dropped while snoozed still counts as a change later.
   * @param key hook and identity
   * @param payload canonical text of the payload
   */
  fires(key: string, payload: string, rule: SuppressionRule, now: number): boolean {
    const known = this.#memory.get(key);
    const digest = rule.onChange ? createHash('sha256').update(payload).digest('base64') : '';
    if (known !== undefined) {
      this.#memory.delete(key);
      this.#memory.set(key, known);
      if (rule.snoozeMs > 0 && now < known.quietUntil) return false;
      if (rule.onChange && known.digest === digest) return false;
    }
    this.#memory.delete(key);
    this.#memory.set(key, { digest, quietUntil: now + rule.snoozeMs });
    if (this.#memory.size > this.#max) {
      const oldest = this.#memory.keys().next();
      if (oldest.done !== true) this.#memory.delete(oldest.value);
    }
    return true;
  }

  /** Forgets a firing that could not be stored, so that the event fires when it comes again. */
  forget(key: string): void {
    this.#memory.delete(key);
  }

  /** Forgets a hook that was changed or deleted. */
  forgetHook(hookId: string): void {
    for (const key of this.#memory.keys()) if (key.startsWith(`${hookId} `)) this.#memory.delete(key);
  }
}
