import { Command } from 'commander';
import { printDump } from './print-dump.ts';

/** `kong-ts dump`: what goes into Kong's `pluginserver_<name>_query_cmd`. */
export function build(): Command {
  return new Command()
    .description(
      'Print the document that Kong asks a plugin server for (pluginserver_<name>_query_cmd): one JSON document on ' +
        'standard output and nothing else. What a plugin prints while it loads goes to standard error.',
    )
    .argument('<plugin...>', 'files (.ts .js .mjs .cjs), packages, or plugins that come with kong-ts')
    .option('--pretty', 'indent the document')
    .action(async (specs: string[], options: { pretty?: boolean }) => {
      await printDump(specs, options.pretty === true);
    });
}
