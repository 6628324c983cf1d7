import { messageOf } from '../base/errors.ts';
import { printable } from '../terminal/index.ts';

/** What is being loaded, for the message when a plugin ends the process meanwhile. */
let loading: string | null = null;
let installed = false;

/**
 * From here to endLoading, an end of the process (process.exit() in a plugin, a top-level await that never settles,
 * an error in a timer or in a promise that nobody handles) is reported on standard error and becomes exit status 1.
 */
export function startLoading(what: string): void {
  loading = what;
  if (installed) return;
  installed = true;
  let thrown: { error: unknown } | null = null;
  process.on('uncaughtExceptionMonitor', (error) => {
    thrown = { error };
  });
  process.once('exit', (code) => {
    if (loading === null) return;
    process.exitCode = 1;
    process.stderr.write(
      printable(
        thrown === null
          ? `kong-ts: The plugin ${loading} ended the process (status ${code}) while it was loaded. ` +
              'Take out process.exit() and top-level awaits that never settle.\n'
          : `kong-ts: The plugin ${loading} failed while it was loaded: ${messageOf(thrown.error)}. ` +
              'Catch the error in the timer, event or promise that it comes from.\n',
      ),
    );
  });
}

export function endLoading(): void {
  loading = null;
}
