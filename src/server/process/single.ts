import { createServerLog } from '../log/server-log.ts';
import type { CompiledServerOptions } from '../options.ts';
import { surviveFailures } from '../worker/failures.ts';
import { checkSecrets } from '../nginx.ts';
import { obeySignals } from './signals.ts';
import { SingleProcessServer } from './single-process-server.ts';

/** Runs everything in this process (`--workers 0`), until a signal ends it. */
export async function runServer(options: CompiledServerOptions): Promise<void> {
  const log = createServerLog(options.logLevel, {}, options.logFormat);
  checkSecrets(options, process.env, log);
  surviveFailures(log);
  const attach = obeySignals(log);
  attach(await SingleProcessServer.start(options, log));
  await log.flushed;
}
