/**
 * Runs things at the end of a turn of the event loop, when all that came in it has been read: together, and with what they
 * add themselves, so that records which are written to the disk then leave for their endpoint in the same turn.
 */
export class TurnEnd {
  #tasks: (() => void)[] = [];

  /** The task must not throw. */
  readonly add = (task: () => void): void => {
    if (this.#tasks.push(task) === 1) setImmediate(this.#run);
  };

  readonly #run = (): void => {
    const tasks = this.#tasks;
    try {
      for (let i = 0; i < tasks.length; i++) tasks[i]?.();
    } finally {
      this.#tasks = [];
    }
  };
}
