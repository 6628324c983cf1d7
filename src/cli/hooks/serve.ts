import type { Command } from 'commander';
import { useOwnUmask } from '../../unix/index.ts';
import type { DispatcherOutput, HookLog } from '../../event-hooks/serve/index.ts';
import { parseServeOptions } from '../../event-hooks/serve/index.ts';
import { logFormatOption, prettyLog } from '../pretty-log.ts';
import { addDispatcherFlags } from '../dispatcher-flags.ts';

/** `hooks serve`: the dispatcher with its Admin API in the foreground. */
export function addServe(hooks: Command): void {
  const command = hooks
    .command('serve')
    .description('run the dispatcher with its Admin API (without a plugin server)');
  addDispatcherFlags(command, 'hooks serve');
  command.addOption(logFormatOption('json', 'for programs'));
  command.addHelpText(
    'after',
    `
With --kong-admin, this Admin API stands in front of Kong's: /event-hooks is answered here, everything else by Kong.
--token (or KONG_ADMIN_TOKEN) is then Kong's token; the one of /event-hooks is KONG_TS_ADMIN_TOKEN.`,
  );
  command.action(async (_options: unknown, self: Command) => {
    useOwnUmask();
    const { logFormat, ...given } = self.opts<Record<string, string | boolean | string[]>>();
    const { token } = self.optsWithGlobals<{ token?: string }>();
    // `hooks serve --kong-admin URL --token T`: here, `--token` is for Kong's Admin API, as in all hooks commands it is
    // for the API that they talk to.
    if (token !== undefined) given.kongAdminToken ??= token;
    const argv = Object.entries(given).flatMap(([name, value]) => {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      if (Array.isArray(value)) return value.flatMap((one) => [flag, one]);
      return value === true ? [flag] : [flag, value as string];
    });
    const options = parseServeOptions(argv, process.env);
    const { runDispatcher } = await import('../../event-hooks/serve/index.ts');
    await runDispatcher(options, prettyOutput(typeof logFormat === 'string' ? logFormat : undefined));
  });
}

/** Undefined: lines of JSON. */
function prettyOutput(format: string | undefined): DispatcherOutput | undefined {
  const write = prettyLog(format, process.stdout);
  if (write === null) return undefined;
  const at = (level: 'info' | 'notice' | 'warn' | 'error'): HookLog[typeof level] => write.bind(null, level);
  return {
    log: { info: at('info'), notice: at('notice'), warn: at('warn'), error: at('error') },
    ready: ({ grpc, admin }) => {
      write('notice', 'event hooks are served', { ...(admin === null ? {} : { admin }), grpc });
    },
  };
}
