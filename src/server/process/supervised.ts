import { createServerLog } from '../log/server-log.ts';
import type { CompiledServerOptions } from '../options.ts';
import { ListeningSockets } from '../socket/listening.ts';
import { checkSecrets } from '../nginx.ts';
import { obeySignals } from './signals.ts';

/** Runs this process as a supervisor with worker processes, until a signal ends it. */
export async function runServer(options: CompiledServerOptions): Promise<void> {
  const log = createServerLog(options.logLevel, {}, options.logFormat);
  checkSecrets(options, process.env, log);
  const attach = obeySignals(log);
  if (options.metrics !== null) {
    const { checkMetricsPort } = await import('../admin/listeners.ts');
    await checkMetricsPort(options.metrics);
  }
  // Kong can connect from here on, before the rest of this process is even read from disk.
  const sockets = await ListeningSockets.open({ server: options, log, paused: true });
  const { Supervisor } = await import('../supervisor/supervisor.ts');
  await Supervisor.start(options, log, sockets, attach);
  await log.flushed;
}
