import { createServerLog } from '../log/server-log.ts';
import type { CompiledServerOptions } from '../options.ts';
import { ListeningSockets } from '../socket/listening.ts';

/** Runs this process as a supervisor with worker processes, until a signal ends it. */
export async function runServer(options: CompiledServerOptions): Promise<void> {
  const log = createServerLog(options.logLevel);
  // Kong can connect from here on, before the rest of this process is even read from disk.
  const sockets = await ListeningSockets.open({ server: options, log, paused: true });
  const [{ Supervisor }, { obeySignals }] = await Promise.all([
    import('../supervisor/supervisor.ts'),
    import('./signals.ts'),
  ]);
  const supervisor = await Supervisor.start(options, log, sockets);
  obeySignals(supervisor, log);
  await log.flushed;
}
