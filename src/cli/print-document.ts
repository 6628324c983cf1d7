import type { StdoutGuard } from './stdout-guard.ts';
import { guardStdout } from './stdout-guard.ts';

/**
 * Runs a command that prints one document and nothing else on standard output, and ends the process after it, also
 * where it fails: what it loads may leave timers or sockets open, and Kong (query_cmd) waits for the end.
 * An error is thrown on, so that it is reported before the end and decides the exit status.
 */
export async function printDocument(make: (stdout: StdoutGuard) => Promise<void>): Promise<void> {
  const stdout = guardStdout();
  // Done by a process of its own.
  if (stdout === null) return;
  try {
    await make(stdout);
    // A plugin may have set another one.
    process.exitCode = 0;
  } finally {
    setImmediate(() => process.exit());
  }
}
