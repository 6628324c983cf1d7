import type { Clock } from '../../../base/clock.ts';
import type { SqliteFile } from '../../../sqlite/index.ts';
import type { StoreChange } from '../types.ts';

type Listener = (change: StoreChange) => void;

/** How often the file's number is looked at while somebody listens, in milliseconds. */
const everyMs = 100;
/** The number does not say what was written. */
const anything: StoreChange = { hooks: true, deliveries: true, rights: false };

/** Notices what other connections have written to the file: SQLite gives it another `data_version` then. */
export class OthersWrites {
  readonly #file: SqliteFile;
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();
  #version: number;
  #timer: unknown = null;

  /** @throws KongTsError STORE_FAILED */
  constructor(file: SqliteFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    this.#version = file.guard(() => file.dataVersion);
  }

  /** @returns the function that ends the subscription */
  listen(listener: Listener): () => void {
    // Earlier writes are not news for this listener.
    if (this.#listeners.size === 0) this.#look();
    this.#listeners.add(listener);
    this.#arm();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.end();
    };
  }

  /** Tells the listeners now. */
  catchUp(): void {
    if (this.#look()) for (const listener of [...this.#listeners]) listener(anything);
  }

  end(): void {
    this.#listeners.clear();
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = null;
      this.catchUp();
      if (this.#listeners.size > 0) this.#arm();
    }, everyMs);
  }

  /** @returns whether others have written since the last look. If the file cannot be read, it notices later */
  #look(): boolean {
    try {
      const before = this.#version;
      this.#version = this.#file.dataVersion;
      return before !== this.#version;
    } catch {
      return false;
    }
  }
}
