import { createCallbackLog } from '../log/server-log.ts';
import type { LogLevel, ServerLog } from '../log/types.ts';
import type { ServerOptions } from '../options.ts';
import { compileServerOptions } from '../options.ts';
import type { RunningServer } from '../running-server.ts';

/** Options of a server inside this process. */
export interface StartServerOptions extends Omit<ServerOptions, 'workers' | 'watch'> {
  /** Where lines of the log go. Default: nowhere. */
  log?: ServerLog | ((level: LogLevel, fields: Record<string, unknown>, message: string) => void);
}

/**
 * Starts a plugin server in this process, as `kong-ts serve --workers 0` does, but without a control socket and
 * without an event hook dispatcher unless the options ask for them. For tests and for programs that bring their own
 * process management.
 *
 * Resolves when it listens. It does not reject for a plugin that does not load: see `status().failures`, and the answer
 * to StartInstance.
 * @throws KongTsError USAGE, SOCKET_IN_USE, SOCKET_UNUSABLE or PORT_IN_USE
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const { log = () => undefined, ...rest } = options;
  const compiled = compileServerOptions({
    control: null,
    instancesFile: null,
    eventHooks: rest.dispatcher === undefined ? 'off' : 'auto',
    ...rest,
    workers: 0,
  });
  const serverLog = typeof log === 'function' ? createCallbackLog(compiled.logLevel, log) : log;
  // Loaded here only: the commands enter this room for other things.
  const { SingleProcessServer } = await import('./single-process-server.ts');
  return SingleProcessServer.start(compiled, serverLog);
}
