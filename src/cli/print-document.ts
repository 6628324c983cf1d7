import type { StdoutGuard } from './stdout-guard.ts';
import { guardStdout } from './stdout-guard.ts';

/**
 * Runs a command that prints one document and nothing else on standard output. The process ends after it, also when it
 * fails: a plugin may leave timers or sockets open, and Kong (query_cmd) waits for the end. An error is thrown on, so
 * that it is reported before the end and decides the exit status.
 */
export async function printDocument(make: (stdout: StdoutGuard) => Promise<void>): Promise<void> {
  const stdout = guardStdout();
  // Another process has done the work.
  if (stdout === null) return;
  try {
    await make(stdout);
    // A plugin may have set another exit status.
    process.exitCode = 0;
  } finally {
    setImmediate(() => process.exit());
  }
}
