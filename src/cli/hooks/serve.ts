import type { Command } from 'commander';
import { parseServeOptions, serveFlags, serveSwitches } from '../../event-hooks/serve/options.ts';

/** `hooks serve`: the dispatcher with its Admin API in the foreground. */
export function addServe(hooks: Command): void {
  const command = hooks
    .command('serve')
    .description('run the dispatcher with its Admin API (without a plugin server)');
  for (const [name, text] of Object.entries(serveFlags)) command.option(`--${name} <value>`, text);
  for (const [name, text] of Object.entries(serveSwitches)) command.option(`--${name}`, text);
  command.action(async (_options: unknown, self: Command) => {
    const given = self.opts<Record<string, string | boolean>>();
    const argv = Object.entries(given).flatMap(([name, value]) => {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      return value === true ? [flag] : [flag, String(value)];
    });
    const options = parseServeOptions(argv, process.env);
    const { runDispatcher } = await import('../../event-hooks/serve/run.ts');
    await runDispatcher(options);
  });
}
