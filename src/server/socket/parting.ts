import type { Connection } from '../../unix/claim.ts';

/** How long the peer may take to close its end, in milliseconds. */
const linger = 1000;

/**
 * Ends a connection so that Kong reads an end, and not a reset: a unix socket that is closed with unread bytes in it
 * gives "connection reset by peer", which Kong does not try again (measured on Kong 3.9.3). What has come is read and
 * dropped until Kong has closed its end.
 *
 * @param last what Kong is to read before the end
 */
export function endCleanly(connection: Connection, last: Buffer | null = null): void {
  const timer = setTimeout(() => {
    connection.destroy();
  }, linger);
  connection.on('error', () => undefined);
  connection.once('close', () => {
    clearTimeout(timer);
  });
  connection.once('end', () => {
    connection.destroy();
  });
  if (last === null) connection.end();
  else connection.end(last);
  connection.resume();
}

/**
 * Connections that come while a server ends. They wait: as long as the socket listens, another server may take it over,
 * and when they end then, Kong tries again there (over ProtoBuf:1). What comes on them is read, so that they end cleanly
 * even if this process is killed.
 */
export class HeldConnections {
  readonly #held = new Set<Connection>();
  #over = false;

  get size(): number {
    return this.#held.size;
  }

  add(connection: Connection): void {
    if (this.#over) {
      endCleanly(connection);
      return;
    }
    this.#held.add(connection);
    connection.on('error', () => undefined);
    connection.once('end', () => connection.destroy());
    connection.once('close', () => this.#held.delete(connection));
    connection.resume();
  }

  /** Ends them, and those that are still to come; resolves when Kong has seen it, or a moment later. */
  async end(): Promise<void> {
    this.#over = true;
    const closed = [...this.#held].map((connection) => {
      const gone = new Promise((resolve) => connection.once('close', resolve));
      endCleanly(connection);
      return gone;
    });
    await Promise.all(closed);
  }
}
