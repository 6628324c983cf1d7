import { Command } from 'commander';
import { addCalls } from './hooks/calls.ts';
import { addServe } from './hooks/serve.ts';
import { addTail } from './hooks/tail.ts';
import { defaultApi } from './hooks/api.ts';

/** `kong-ts hooks`: event hooks over their Admin API, and the dispatcher as a process of its own. */
export function build(): Command {
  const command = new Command('hooks')
    .description('list, create, test and replay event hooks')
    .option('--api <url>', `Admin API with the event hooks (KONG_TS_HOOKS_API; default ${defaultApi})`)
    .option('--token <token>', 'its Kong-Admin-Token (better: KONG_TS_ADMIN_TOKEN in the environment)')
    .option('--token-file <file>', 'a file with it (or KONG_TS_ADMIN_TOKEN_FILE)')
    .option('--workspace <name>', 'workspace in the path')
    .option('--json', 'print JSON instead of tables');
  addCalls(command);
  addTail(command);
  addServe(command);
  return command;
}
