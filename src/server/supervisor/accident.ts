/** What is known of a worker that has died. */
export interface Death {
  /** A person has killed it, or the system for want of memory. */
  readonly killedFromOutside: boolean;
  /** It gave no sign of life any more, see WorkerProcess. */
  readonly silent: boolean;
  /** For how long it had served, in milliseconds; null if its plugins were never loaded. */
  readonly servedMs: number | null;
  /** How many workers have died in a row, this one too. */
  readonly inARow: number;
}

/**
 * After so many deaths in a row a worker is suspected, also when it was killed from outside: the system may be killing
 * workers because of what an event does to their memory.
 */
const mostAccidents = 10;

/** Milliseconds. */
const servedForAWhileMs = 500;

/**
 * Whether a worker that was killed from outside died by accident, and not of an event that it served. It was awake and
 * had served for a while: an event that ends workers comes back as soon as the next one serves.
 */
export function isAccident({ killedFromOutside, silent, servedMs, inARow }: Death): boolean {
  return (
    killedFromOutside &&
    !silent &&
    servedMs !== null &&
    servedMs > servedForAWhileMs &&
    inARow < mostAccidents
  );
}
