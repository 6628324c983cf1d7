import type { Readable } from 'node:stream';

/** Everything that a container has printed so far. */
export class LogBook {
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** The last lines, for error messages. */
  tail(lines: number): string {
    return this.#text.trimEnd().split('\n').slice(-lines).join('\n');
  }

  readonly consume = (stream: Readable): void => {
    const take = (data: unknown): void => {
      this.#text += String(data);
    };
    // testcontainers hands lines of standard error over as `err`.
    stream.on('data', take).on('err', take);
  };
}
