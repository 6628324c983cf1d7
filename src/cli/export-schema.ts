import { Command } from 'commander';
import { loadPlugin, luaSource } from '../plugin/index.ts';
import { endLoading, startLoading } from './load-guard.ts';
import { printDocument } from './print-document.ts';

/** `kong-ts export-schema`: a plugin's configuration schema for where no plugin server runs. */
export function build(): Command {
  return new Command()
    .description(
      "Print the schema of a plugin's configuration in Kong's language, for Konnect and for control planes that " +
        'do not run the plugin server.',
    )
    .argument('<plugin>', 'a file, a package, or a plugin that comes with kong-ts')
    .option('--lua', 'as schema.lua (default: JSON)')
    .action((spec: string, { lua }: { lua?: boolean }) =>
      printDocument(async (stdout) => {
        startLoading(spec);
        const { schema } = await loadPlugin(spec).finally(endLoading);
        stdout.write(lua === true ? luaSource(schema) : `${JSON.stringify(schema, null, 2)}\n`);
      }),
    );
}
