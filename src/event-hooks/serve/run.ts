import type { HookLog } from '../log.ts';
import type { ServeOptions } from './options.ts';
import type { Served } from './serve.ts';

/** Where a dispatcher in the foreground says that it is ready, and logs. */
export interface DispatcherOutput {
  readonly log: HookLog;
  readonly ready: (served: Pick<Served, 'grpc' | 'admin'>) => void;
}

/**
 * Runs a dispatcher as this process: the ready line first, then the log, both on standard output; SIGTERM, SIGINT and the
 * parent's end (IPC, or standard input where asked for) stop it in order.
 * @param output in place of lines of JSON
 * @throws KongTsError when it cannot start
 */
export async function runDispatcher(options: ServeOptions, output?: DispatcherOutput): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    // Handles signals from the start: a dispatcher that is told to end while it starts leaves nothing behind.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
    process.once('disconnect', resolve);
    if (options.exitWithStdin) process.stdin.on('end', resolve).on('error', resolve).resume();
  });
  const { log: own, ready } = output ?? (await jsonOutput());
  const log = heldLog(own);
  let served;
  try {
    const { serveDispatcher } = await import('./serve.ts');
    served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log } });
  } catch (error) {
    log.release();
    throw error;
  }
  ready(served);
  log.release();
  await ended;
  await served.stop();
  process.exit(0);
}

async function jsonOutput(): Promise<DispatcherOutput> {
  // It is loaded here, so that programs which only read options go without.
  const { jsonLog } = await import('../log.ts');
  return {
    log: jsonLog(),
    ready: ({ grpc, admin }) => {
      process.stdout.write(`${JSON.stringify({ ready: true, grpc, admin })}\n`);
    },
  };
}

/** Starts a dispatcher in this process, with its doors. @throws KongTsError when it cannot start */
export async function startDispatcher(options: ServeOptions): Promise<Served> {
  // Loaded here, as above.
  const { serveDispatcher } = await import('./serve.ts');
  return serveDispatcher(options);
}

/** Keeps lines back until the ready line is out. */
function heldLog(log: HookLog): HookLog & { release(): void } {
  let held: (() => void)[] | null = [];
  const at =
    (level: 'info' | 'notice' | 'warn' | 'error') =>
    (message: string, fields?: Record<string, unknown>): void => {
      const write = (): void => {
        log[level](message, fields);
      };
      if (held === null) write();
      else held.push(write);
    };
  return {
    info: at('info'),
    notice: at('notice'),
    warn: at('warn'),
    error: at('error'),
    release: () => {
      for (const write of held ?? []) write();
      held = null;
    },
  };
}
