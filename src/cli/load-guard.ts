import { messageOf } from '../base/errors.ts';
import { printable } from '../terminal/index.ts';

/** The plugin that is being loaded, for the message when it ends the process. */
let loading: string | null = null;
let installed = false;

/**
 * From here to endLoading, an end of the process is reported on standard error and becomes exit status 1. Ways to it
 * are process.exit() in a plugin, a top-level await that never settles, and an error in a timer or in a promise that
 * nobody handles.
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
