import { Command } from 'commander';
import { KongTsError } from '../base/errors.ts';
import type { ReloadResult } from '../server/admin/index.ts';
import { printable } from '../terminal/index.ts';
import type { ControlFlags } from './control-option.ts';
import { controlSocket } from './control-option.ts';

export function build(): Command {
  return new Command('reload')
    .description('make a running server load its plugins anew, without a failed event')
    .option('--socket <path>', 'the (first) socket of the server')
    .option('--control <path>', 'its control socket')
    .action(reload);
}

async function reload(flags: ControlFlags): Promise<void> {
  const { askServer } = await import('../server/admin/index.ts');
  const result = (await askServer(controlSocket(flags), 'POST', '/reload')) as ReloadResult;
  if (!result.reloaded) {
    const why = result.failures.map(({ spec, message }) => (spec === '' ? message : `${spec}: ${message}`));
    throw new KongTsError(
      'PLUGIN_LOAD_FAILED',
      `The new plugin code does not load, the server goes on with what it has. ${why.join(' ')}`,
    );
  }
  process.stdout.write(printable(`reloaded ${result.plugins.join(', ')}\n`));
  if (result.needKongReload.length === 0) return;
  process.stdout.write(
    printable(
      `The schema, phases, priority or version of ${result.needKongReload.join(', ')} has changed: ` +
        'run "kong reload", so that Kong reads it.\n',
    ),
  );
}
