import type { Readable } from 'node:stream';

/** What has been printed so far: everything, or the end of it. */
export class LogBook {
  readonly #limit: number;
  #text = '';
  /** Characters that are no longer kept. */
  #dropped = 0;

  /** @param limit how much is kept, in characters; everything by default */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  get text(): string {
    return this.#text;
  }

  /** Where the log ends now: a mark for `since`. */
  get end(): number {
    return this.#dropped + this.#text.length;
  }

  /** What has been printed since then, as far as it is kept. */
  since(mark: number): string {
    return this.#text.slice(Math.max(0, mark - this.#dropped));
  }

  /** The last lines, for error messages. */
  tail(lines: number): string {
    return this.#text.trimEnd().split('\n').slice(-lines).join('\n');
  }

  readonly add = (data: unknown): void => {
    this.#text += String(data);
    if (this.#text.length <= this.#limit) return;
    const over = this.#text.length - this.#limit;
    this.#dropped += over;
    this.#text = this.#text.slice(over);
  };

  readonly consume = (stream: Readable): void => {
    // testcontainers hands lines of standard error over as `err`.
    stream.on('data', this.add).on('err', this.add);
  };
}
