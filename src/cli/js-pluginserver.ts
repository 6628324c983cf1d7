import path from 'node:path';
import { Command } from 'commander';
import { KongTsError } from '../base/errors.ts';
import type { DumpDocument, FolderPlugin } from '../plugin/index.ts';
import { dumpDocument, loadFolder } from '../plugin/index.ts';
import { packageVersion } from '../base/package.ts';
import { endLoading, startLoading } from './load-guard.ts';
import { printDocument } from './print-document.ts';
import type { StdoutGuard } from './stdout-guard.ts';
import { printable } from '../terminal/index.ts';

interface Flags {
  kongPrefix: string;
  sockName: string;
  pluginsDirectory: string;
  verbose: number;
  dumpPluginInfo?: string;
  dumpAllPlugins?: boolean;
}

/** kong-js-pluginserver takes its long options with one dash as well. */
const longOptions = /^-(kong-prefix|plugins-directory|dump-plugin-info|dump-all-plugins)(=.*)?$/;

/** Brings the old spellings of options into the form that the command understands. */
export function normalise(argv: readonly string[]): string[] {
  return argv.map((argument) => (longOptions.test(argument) ? `-${argument}` : argument));
}

/** `kong-ts js-pluginserver`: kong-js-pluginserver's command line, served by kong-ts. */
export function build(): Command {
  return new Command()
    .description("kong-js-pluginserver's command line, for plugins written for kong-pdk 0.6")
    .version(packageVersion(), '--version')
    .requiredOption('-d, --plugins-directory <dir>', 'the folder of the plugin files')
    .option('-p, --kong-prefix <prefix>', 'the folder of the socket', '/usr/local/kong')
    .option('--sock-name <name>', "the socket's name in it", 'js_pluginserver.sock')
    .option('-v, --verbose', 'log more; twice for debug', (_value, before: number) => before + 1, 0)
    .option('--dump-plugin-info <name>', 'print one plugin as MessagePack')
    .option('--dump-all-plugins', "print all plugins as JSON (Kong's query_cmd)")
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  if (flags.dumpPluginInfo !== undefined || flags.dumpAllPlugins === true) {
    await printDocument((stdout) => dump(stdout, flags));
    return;
  }
  await serve(flags);
}

async function dump(stdout: StdoutGuard, flags: Flags): Promise<void> {
  startLoading(`in ${flags.pluginsDirectory}`);
  const plugins = await loadFolder(flags.pluginsDirectory, warn).finally(endLoading);
  const wanted = flags.dumpPluginInfo;
  if (wanted === undefined) {
    stdout.write(`${JSON.stringify(documentFor(plugins))}\n`);
  } else {
    const { encode } = await import('../wire/msgpack/index.ts');
    stdout.write(encode(dumpDocument([named(plugins, wanted).plugin]).Plugins[0]));
  }
}

/** kong-js-pluginserver prints a bare list, which Kong reads as MsgPack:1. */
function documentFor(plugins: readonly FolderPlugin[]): DumpDocument | DumpDocument['Plugins'] {
  const document = dumpDocument(plugins.map(({ plugin }) => plugin));
  return plugins.every(({ plugin }) => plugin.protocol === 'msgpack') ? document.Plugins : document;
}

function named(plugins: readonly FolderPlugin[], name: string): FolderPlugin {
  const found = plugins.find(({ plugin }) => plugin.name === name);
  if (found !== undefined) return found;
  const names = plugins.map(({ plugin }) => plugin.name).join(', ');
  throw new KongTsError('PLUGIN_NOT_FOUND', `There is no plugin "${name}" in the plugins directory.`, {
    fix: names === '' ? 'No file there is a plugin.' : `Plugins there are: ${names}.`,
  });
}

async function serve(flags: Flags): Promise<void> {
  const plugins = await loadFolder(flags.pluginsDirectory, warn);
  if (plugins.length === 0) {
    throw new KongTsError('PLUGIN_NOT_FOUND', `No file in ${flags.pluginsDirectory} is a plugin.`, {
      fix: 'Give the folder that holds the plugin files: -d DIR.',
    });
  }
  const { compileServerOptions, runServer } = await import('../server/index.ts');
  const options = compileServerOptions({
    plugins: plugins.map(({ file }) => file),
    socket: path.join(flags.kongPrefix, flags.sockName),
    // A socket for MsgPack:1 plugins has one worker, because the calls of one event may come on any connection.
    workers: 1,
    logLevel: flags.verbose > 1 ? 'debug' : flags.verbose === 1 ? 'info' : 'notice',
  });
  await runServer(options);
}

function warn(text: string): void {
  process.stderr.write(printable(`kong-ts: warning: ${text}\n`));
}
