import { Command } from 'commander';
import { dumpDocument } from '../plugin/dump.ts';
import { loadPlugin } from '../plugin/loader.ts';
import type { CompiledPlugin } from '../plugin/types.ts';
import { endLoading, startLoading } from './load-guard.ts';
import { printDocument } from './print-document.ts';
import type { StdoutGuard } from './stdout-guard.ts';

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
      await printDocument((stdout) => dump(stdout, specs, options.pretty === true));
    });
}

async function dump(stdout: StdoutGuard, specs: readonly string[], pretty: boolean): Promise<void> {
  const plugins: CompiledPlugin[] = [];
  for (const spec of specs) {
    startLoading(spec);
    try {
      plugins.push(await loadPlugin(spec));
    } finally {
      endLoading();
    }
  }
  warnAboutOthers(plugins);
  stdout.write(`${JSON.stringify(dumpDocument(plugins), null, pretty ? 2 : 0)}\n`);
}

function warnAboutOthers(plugins: readonly CompiledPlugin[]): void {
  const [first, ...others] = plugins;
  if (first === undefined || others.length === 0) return;
  process.stderr.write(
    `kong-ts: warning: Kong 3.9 reads only the first plugin of a dump (${first.name}), not ` +
      `${others.map((plugin) => plugin.name).join(', ')}. Name one plugin server per plugin in pluginserver_names, ` +
      'each with a dump of its own; they may share one socket and one process.\n',
  );
  const differing = others.filter((plugin) => plugin.protocol !== first.protocol);
  if (differing.length > 0) {
    process.stderr.write(
      `kong-ts: warning: ${differing.map((plugin) => plugin.name).join(', ')} and ${first.name} use different ` +
        'protocols; the document says the one of the first.\n',
    );
  }
}
