import { Command } from 'commander';
import { addHooks } from './hooks/hooks.ts';
import { addDeliveries } from './hooks/deliveries.ts';
import { addListen } from './hooks/listen.ts';
import { addQuickstart } from './hooks/quickstart.ts';
import { addRotate } from './hooks/rotate.ts';
import { addMigrate } from './hooks/migrate.ts';
import { addServe } from './hooks/serve.ts';
import { addStatus } from './hooks/status.ts';
import { addTail } from './hooks/tail.ts';
import { defaultApi } from './hooks/api.ts';

/** `kong-ts hooks`: event hooks over their Admin API, and the dispatcher as a process of its own. */
export function build(): Command {
  const command = new Command('hooks')
    .description('create, change, test and watch event hooks')
    .option('--api <url>', `Admin API with the event hooks (KONG_TS_HOOKS_API; default ${defaultApi})`)
    .option('--token <token>', 'its Kong-Admin-Token (better: KONG_TS_ADMIN_TOKEN in the environment)')
    .option('--token-file <file>', 'a file with it (or KONG_TS_ADMIN_TOKEN_FILE)')
    .option('--workspace <name>', 'workspace in the path')
    .option('--json', 'print JSON instead of tables');
  addHooks(command);
  addRotate(command);
  addDeliveries(command);
  addTail(command);
  addStatus(command);
  addQuickstart(command);
  addListen(command);
  addServe(command);
  addMigrate(command);
  command.addHelpText(
    'after',
    `
Begin with: kong-ts hooks quickstart`,
  );
  return command;
}
