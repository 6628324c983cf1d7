export interface BackoffOptions {
  /** Waiting time after the second failure in a row; the first one does not wait. Milliseconds. */
  first: number;
  most: number;
  /** A run that lasted this long counts as healthy: the next failure does not wait. */
  healthyAfter: number;
}

/** How long to wait before something that keeps failing is started again; doubles up to a limit. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** @param ranFor how long it ran before it failed, in milliseconds */
  next(ranFor: number): number {
    if (ranFor >= this.#options.healthyAfter) this.#failures = 0;
    const failures = this.#failures++;
    if (failures === 0) return 0;
    return Math.min(this.#options.most, this.#options.first * 2 ** (failures - 1));
  }

  /** How often it has failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  reset(): void {
    this.#failures = 0;
  }
}
