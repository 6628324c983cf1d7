/** Nothing came in time. */
export class ReadTimeout extends Error {
  override readonly name = 'ReadTimeout';
}

/** Waits for the next event of a socket, for one caller at a time. */
export class Change {
  #listener: (() => void) | null = null;

  /** Something has happened. */
  happened(): void {
    const listener = this.#listener;
    this.#listener = null;
    listener?.();
  }

  /** Calls `listener` once when something happens. Null: no more. */
  listen(listener: (() => void) | null): void {
    this.#listener = listener;
  }

  /** Resolves when something happens. @throws ReadTimeout after `timeoutMs` */
  within(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#listener = null;
        reject(new ReadTimeout(`nothing came within ${String(timeoutMs)} ms`));
      }, timeoutMs);
      this.#listener = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
