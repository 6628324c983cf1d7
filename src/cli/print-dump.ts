import type { CompiledPlugin } from '../plugin/index.ts';
import { endLoading, startLoading } from './load-guard.ts';
import { printDocument } from './print-document.ts';
import type { StdoutGuard } from './stdout-guard.ts';

/** What `kong-ts dump` does, without its command line. */
export async function printDump(specs: readonly string[], pretty: boolean): Promise<void> {
  await printDocument((stdout) => dump(stdout, specs, pretty));
}

async function dump(stdout: StdoutGuard, specs: readonly string[], pretty: boolean): Promise<void> {
  // It is imported here and not before: this process may only have to start another one, to keep standard output clean.
  const { dumpDocument, loadPlugin } = await import('../plugin/index.ts');
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
