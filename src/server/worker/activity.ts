import type { ConnectionHandle } from '../connection/index.ts';

/** Tells since when nothing has come on a connection, as far as it has been looked at. */
export class Activity {
  readonly #seen = new WeakMap<Pick<ConnectionHandle, 'bytesRead'>, { bytes: number; since: number }>();

  /** @returns milliseconds in which nothing has come; 0 at the first look */
  quietFor(connection: Pick<ConnectionHandle, 'bytesRead'>, now: number): number {
    const seen = this.#seen.get(connection);
    if (seen?.bytes === connection.bytesRead) return now - seen.since;
    this.#seen.set(connection, { bytes: connection.bytesRead, since: now });
    return 0;
  }
}
