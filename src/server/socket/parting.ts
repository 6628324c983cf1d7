import type { Connection } from '../../unix/index.ts';

/** How long the peer may take to close its end, in milliseconds. */
const lingerMs = 1000;

/**
 * Ends a connection so that Kong reads an end, and not a reset. A unix socket that is closed with unread bytes gives
 * "connection reset by peer", and then Kong does not try again (measured on Kong 3.9.3). So everything that comes is
 * read and dropped until Kong has closed its end.
 *
 * @param last what Kong is to read before the end
 */
export function endCleanly(connection: Connection, last: Buffer | null = null): void {
  const timer = setTimeout(() => {
    connection.destroy();
  }, lingerMs);
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
