/** The bytes that wait for all readers of one kind; each has a bound of its own besides. */
export class Backlog {
  readonly #ofOne: number;
  readonly #ofAll: number;
  #waiting = 0;

  /** @param ofOne bytes that may wait for one reader, `ofAll` for all of them together */
  constructor(ofOne: number, ofAll: number) {
    this.#ofOne = ofOne;
    this.#ofAll = ofAll;
  }

  /** What waits for everybody, in bytes. */
  get waiting(): number {
    return this.#waiting;
  }

  reader(): BacklogReader {
    let own = 0;
    let gone = false;
    return {
      take: (bytes) => {
        // One piece always has room, whatever its size.
        const isFull = own + bytes > this.#ofOne || this.#waiting + bytes > this.#ofAll;
        if (gone || (own > 0 && isFull)) return false;
        own += bytes;
        this.#waiting += bytes;
        return true;
      },
      left: (bytes) => {
        if (gone) return;
        own -= bytes;
        this.#waiting -= bytes;
      },
      leave: () => {
        if (gone) return;
        gone = true;
        this.#waiting -= own;
      },
    };
  }
}

/** One reader's part. */
export interface BacklogReader {
  /** False when the reader is too slow for so many bytes more. */
  take(bytes: number): boolean;
  /** So many bytes have left. */
  left(bytes: number): void;
  /** The reader is gone: nothing waits for it any more. */
  leave(): void;
}
