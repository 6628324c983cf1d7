import type { ServerLog } from '../log/types.ts';
import type { RunningServer } from '../running-server.ts';

/** A signal to a whole group of processes often comes twice: through a parent, too. Milliseconds. */
const sameWishMs = 500;

/**
 * Lets signals drive a server: SIGTERM and SIGINT drain and stop it (see RunningServer.terminate), another one ends the
 * process at once, SIGHUP reloads. The process ends with status 0 (or `process.exitCode`) once the server has stopped.
 *
 * Call it before the server listens: it obeys a signal that comes during the start as soon as the server has started.
 * The returned function takes the server.
 */
export function obeySignals(log: ServerLog): (server: RunningServer) => void {
  let server: RunningServer | null = null;
  let stopping = false;
  let stoppedAt = 0;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) {
      if (Date.now() - stoppedAt < sameWishMs) return;
      log.warn('stopping at once', { signal });
      process.exit(1);
    }
    if (Date.now() - stoppedAt < sameWishMs) return;
    stoppedAt = Date.now();
    log.notice('stopping', { signal });
    stopping = server?.terminate(signal) !== 'waits';
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    server?.reload().catch((error: unknown) => {
      log.error('the reload failed', { reason: String(error) });
    });
  });
  return (started) => {
    server = started;
    void started.stopped.then(() => {
      process.exit(process.exitCode ?? 0);
    });
    if (stopping) void started.stop();
  };
}
