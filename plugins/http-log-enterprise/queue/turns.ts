import type { Clock } from './clock.ts';

/** How long the events behind one that has no record yet wait for it, in milliseconds. */
export const patienceMs = 1000;

/** The place of one log event among those that began before and after it. */
export interface Turn {
  /** Resolves when every earlier event has ended its turn, or has had its time. */
  readonly come: Promise<void>;
  /** Lets the next one go. */
  end(): void;
}

/**
 * Lets log events go on in the order in which they began. Their records come on connections of their own, so that the
 * later of two can be the first.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(): Turn {
    const come = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(patienceMs, resolve);
    this.#last = come.then(() => promise);
    return {
      come,
      end: () => {
        cancel();
        resolve();
      },
    };
  }
}
