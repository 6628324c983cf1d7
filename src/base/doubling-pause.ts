/** Pauses between attempts at something that keeps failing: each is twice the one before, up to a limit. */
export class DoublingPause {
  readonly #firstMs: number;
  readonly #mostMs: number;
  #nextMs: number;

  /** Both in milliseconds. */
  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#nextMs = firstMs;
  }

  /** How long to wait now, in milliseconds; the next pause is longer. */
  next(): number {
    const now = Math.min(this.#nextMs, this.#mostMs);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#mostMs);
    return now;
  }

  /** It has worked: the next pause is the first one again. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
