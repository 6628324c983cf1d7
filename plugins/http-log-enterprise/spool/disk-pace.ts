/** How many writes in a row have to be quick before the event loop waits for them, at first and at most. */
const firstTrust = 8;
const mostTrust = 8192;
/** A quick write, in milliseconds: most take 0.02 where the system takes the bytes into its memory. */
const quickMs = 1;
/** A write for which nobody may wait. */
const longMs = 20;
/** This many slow writes in a row are not an accident. */
const mostSlow = 8;
/** After this time, the lost trust in a slow disk is forgotten, in milliseconds. */
const forgetAfterMs = 600_000;

/**
 * Whether the event loop may wait for the writes to a disk. On most disks that is cheaper by far than to have a thread
 * wait, because the system only copies the bytes. On a slow disk, each write would hold up every plugin of the worker.
 * So the writes are measured: a disk has to be quick first, one long write ends the trust, and it takes twice as many
 * quick writes to win it back.
 */
export class DiskPace {
  readonly #now: () => number;
  #trust = firstTrust;
  #quick = 0;
  #slow = 0;
  #slowAt = -Infinity;
  #blocks = false;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the next write may hold up the event loop. */
  get blocks(): boolean {
    return this.#blocks;
  }

  /** Takes the time of a write into account, whether the event loop or a thread waited for it. */
  took(ms: number): void {
    if (ms <= quickMs) this.#wasQuick();
    else this.#wasSlow(ms);
  }

  #wasQuick(): void {
    this.#slow = 0;
    if (this.#blocks) return;
    this.#quick += 1;
    if (this.#now() - this.#slowAt > forgetAfterMs) this.#trust = firstTrust;
    this.#blocks = this.#quick >= this.#trust;
  }

  #wasSlow(ms: number): void {
    this.#quick = 0;
    this.#slow += 1;
    if (!this.#blocks || (ms < longMs && this.#slow < mostSlow)) return;
    this.#blocks = false;
    this.#trust = Math.min(mostTrust, this.#trust * 2);
    this.#slowAt = this.#now();
  }
}
