import type { Connection } from '../socket/claim.ts';

/** Tells since when nothing has come on a connection, as far as it has been looked at. */
export class Activity {
  readonly #seen = new WeakMap<Connection, { bytes: number; since: number }>();

  /** @returns milliseconds in which nothing has come; 0 at the first look */
  quietFor(socket: Connection, now: number): number {
    const seen = this.#seen.get(socket);
    if (seen?.bytes === socket.bytesRead) return now - seen.since;
    this.#seen.set(socket, { bytes: socket.bytesRead, since: now });
    return 0;
  }
}
