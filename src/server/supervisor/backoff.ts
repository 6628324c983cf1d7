import { DoublingPause } from '../../base/doubling-pause.ts';

export interface BackoffOptions {
  /** The wait after the second failure in a row, in milliseconds. After the first failure there is no wait. */
  firstMs: number;
  mostMs: number;
  /** A run of this length counts as healthy. There is no wait after the next failure. */
  healthyAfterMs: number;
}

/** How long to wait before something that keeps failing is started again; doubles up to a limit. */
export class Backoff {
  readonly #healthyAfterMs: number;
  readonly #pause: DoublingPause;
  #failures = 0;

  constructor({ firstMs, mostMs, healthyAfterMs }: BackoffOptions) {
    this.#healthyAfterMs = healthyAfterMs;
    this.#pause = new DoublingPause(firstMs, mostMs);
  }

  /** @param ranForMs how long it ran before it failed, in milliseconds */
  next(ranForMs: number): number {
    if (ranForMs >= this.#healthyAfterMs) this.reset();
    return this.#failures++ === 0 ? 0 : this.#pause.next();
  }

  /** How often it has failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  reset(): void {
    this.#failures = 0;
    this.#pause.reset();
  }
}
