import { KongTsError } from '../../base/errors.ts';

/** How much all connections of a process may hold of unfinished messages by default, in bytes. */
const mostBytes = 256 * 1024 * 1024;

/** A connection that may be in the middle of a message. */
export interface Unfinished {
  /** Bytes that it holds of what cannot be worked on yet. */
  readonly heldBytes: number;
  /** Closes it, and says why in the log. */
  fail(error: KongTsError): void;
}

/**
 * Counts what the connections of one worker hold of messages that are unfinished, or that wait for one before them.
 * Kong sends a message in one go and the next one after the answer, so it holds next to nothing here, however many
 * connections it has. A peer that begins large messages and does not end them would hold the largest one on each
 * connection. Once all connections together hold too much, the one that has held something longest is closed.
 */
export class UnfinishedFrames {
  readonly #most: number;
  /** In the order in which they began to hold something. */
  readonly #held = new Map<Unfinished, number>();
  #bytes = 0;
  #closed = 0;

  constructor(most = mostBytes) {
    this.#most = most;
  }

  /** What they hold, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many connections were closed because all held too much. */
  get closed(): number {
    return this.#closed;
  }

  /** Is told after each read, and at the end of a connection. */
  look(connection: Unfinished): void {
    const { heldBytes } = connection;
    const before = this.#held.get(connection) ?? 0;
    if (heldBytes === before) return;
    if (heldBytes === 0) this.#held.delete(connection);
    else this.#held.set(connection, heldBytes);
    this.#bytes += heldBytes - before;
    if (this.#bytes > this.#most) this.#closeOldest();
  }

  #closeOldest(): void {
    for (const [connection, bytes] of this.#held) {
      if (this.#bytes <= this.#most) return;
      this.#held.delete(connection);
      this.#bytes -= bytes;
      this.#closed += 1;
      connection.fail(
        new KongTsError(
          'FRAME_TOO_LARGE',
          `Messages that are not whole hold more than ${this.#most} bytes on all connections together; this one was begun first (${bytes} bytes so far)`,
          { fix: 'Look who else may write to the socket: Kong sends its messages whole.' },
        ),
      );
    }
  }
}
