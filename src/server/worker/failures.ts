import { KongTsError, messageOf } from '../../base/errors.ts';
import { isEventOver } from '../connection/index.ts';
import type { ServerLog } from '../log/types.ts';

/** Messages that are remembered, so that each is said once. */
const mostSaid = 1000;

/**
 * Keeps a worker alive when plugin code throws and nothing catches it (a timer, a promise that is not awaited). The
 * failure is logged, and other events go on.
 */
export function surviveFailures(log: ServerLog): void {
  const said = new Set<string>();
  const unawaited = (message: string): void => {
    if (said.has(message) || said.size >= mostSaid) return;
    said.add(message);
    log.warn(`a function that nobody awaits was cut off: ${message} Await every call that leads to the PDK.`);
  };
  const report = (what: string) => (thrown: unknown) => {
    // A helper that nobody awaits ends like this when its handler has ended. That is not a failure.
    if (isEventOver(thrown)) {
      if (KongTsError.is(thrown) && thrown.code === 'PDK_EVENT_ENDED') unawaited(thrown.message);
      return;
    }
    log.error(`${what} in plugin code: ${messageOf(thrown)}`, {
      ...(thrown instanceof Error && thrown.stack !== undefined ? { stack: thrown.stack } : {}),
    });
  };
  process.on('uncaughtException', report('an exception that nobody caught'));
  process.on('unhandledRejection', report('a rejected promise that nobody handled'));
}

/**
 * Makes `process.exit` throw, so that a plugin that calls it fails its own event and not those of everybody else.
 * @returns the real one, for the worker itself
 */
export function refuseExit(): (code: number) => never {
  const exit = process.exit.bind(process);
  process.exit = (code) => {
    throw new Error(`process.exit(${code ?? ''}) was called; a plugin cannot end the plugin server`);
  };
  return exit;
}
