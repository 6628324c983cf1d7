/** What all hooks together hold in memory of payloads, queued and in flight, in characters. */
export class Held {
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }
  /** How much more may be held; 0 or less: nothing. */
  get room(): number {
    return this.#limit - this.#size;
  }

  take({ payload }: { payload: string }): void {
    this.#size += payload.length;
  }
  leave({ payload }: { payload: string }): void {
    this.#size -= payload.length;
  }
}
