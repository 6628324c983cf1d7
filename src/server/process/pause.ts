/** A time to wait for that can be cut short. */
export class Pause {
  /** Resolves when the time is over or `end` was called. */
  readonly over: Promise<void>;
  end: () => void = () => undefined;

  /** @param milliseconds from now on */
  constructor(milliseconds: number) {
    this.over = new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
