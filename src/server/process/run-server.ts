import type { CompiledServerOptions } from '../options.ts';

/**
 * Runs a server as this process, until a signal ends it. Only what the options ask for is loaded: a supervisor listens
 * before it has anything that it can do without.
 */
export async function runServer(options: CompiledServerOptions): Promise<void> {
  const { runServer: run } =
    options.workers === 0 ? await import('./single.ts') : await import('./supervised.ts');
  await run(options);
}
