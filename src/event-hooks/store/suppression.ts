import type { FiringRule } from './types.ts';

interface Firing {
  digest: string | null;
  /** No firing before this time (snooze), in milliseconds since 1970. */
  quietUntil: number;
}

/**
 * Remembers, per hook and identity, what fired last and when. Bounded: the identity that was not seen for the longest
 * time is forgotten first (and then fires again).
 */
export class Suppression {
  readonly #memory = new Map<string, Firing>();
  readonly #max: number;

  /** @param max identities kept over all hooks */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Whether the event fires. A firing is remembered; an event that does not fire changes nothing, so that a payload
   * dropped while snoozed still counts as a change later.
   */
  fires({ hook, identity, digest, snoozeMs, now }: FiringRule): boolean {
    const key = `${hook} ${identity}`;
    const known = this.#memory.get(key);
    this.#memory.delete(key);
    const held = known !== undefined && holdsBack(known, digest, snoozeMs, now);
    this.#memory.set(key, held ? known : { digest, quietUntil: now + snoozeMs });
    if (this.#memory.size > this.#max) {
      const oldest = this.#memory.keys().next();
      if (oldest.done !== true) this.#memory.delete(oldest.value);
    }
    return !held;
  }

  /** Forgets a hook that was changed or deleted. */
  forgetHook(hookId: string): void {
    for (const key of this.#memory.keys()) if (key.startsWith(`${hookId} `)) this.#memory.delete(key);
  }
}

/** How far apart the clocks of processes on one store may be, in milliseconds. */
const apartMs = 60_000;

/** Whether what is remembered keeps an event from firing. */
export function holdsBack(known: Firing, digest: string | null, snoozeMs: number, now: number): boolean {
  // No firing can have asked for a later end: the clock went back, or the row is not ours.
  const longest = now + snoozeMs + apartMs;
  if (snoozeMs > 0 && now < known.quietUntil && known.quietUntil <= longest) return true;
  return digest !== null && known.digest === digest;
}
