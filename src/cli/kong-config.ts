import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { formats, render, type Format } from '../kong-setup/formats.ts';
import { kongSettings, type PluginSource } from '../kong-setup/settings.ts';
import { factsOf } from '../kong-setup/versions.ts';
import { loadPlugin } from '../plugin/loader.ts';

interface Options {
  kong: string;
  format: Format;
  mode: 'managed' | 'sidecar';
  socket: string;
  dumpFolder: string;
  command?: string;
}

/** The command that runs this very kong-ts, absolute, as Kong's short PATH needs it. */
export function ownCommand(): string[] {
  return [
    process.execPath,
    fileURLToPath(new URL('../../bin/kong-ts.js', import.meta.url)).replace('/dist/bin/', '/bin/'),
  ];
}

/** A plugin as Kong's configuration names it; a file gets its absolute path. */
export async function describePlugin(spec: string): Promise<PluginSource> {
  const { name, protocol } = await loadPlugin(spec);
  const absolute = isAbsolute(spec) || !existsSync(spec) ? spec : resolve(spec);
  return { name, protocol, spec: absolute };
}

export function build(): Command {
  return new Command('kong-config')
    .description('print what Kong needs in its configuration to run the given plugins')
    .argument('<plugin...>', 'plugin files, package names or names of bundled plugins')
    .option('--kong <version>', 'the version of Kong', '3.9')
    .addOption(new Option('--format <format>', 'how to print it').choices(formats).default('env'))
    .addOption(
      new Option(
        '--mode <mode>',
        'managed: Kong starts the server; sidecar: it runs elsewhere, Kong reads dumps with cat',
      )
        .choices(['managed', 'sidecar'])
        .default('managed'),
    )
    .option('--socket <path>', 'absolute path of the unix socket', '/usr/local/kong/kong-ts.socket')
    .option('--dump-folder <path>', 'sidecar: where Kong finds <plugin>.json', '/usr/local/kong-ts')
    .option('--command <command>', 'what runs kong-ts where Kong is, absolute (default: this one)')
    .action(async (specs: string[], options: Options) => {
      const result = kongSettings({
        plugins: await Promise.all(specs.map(describePlugin)),
        facts: factsOf(options.kong),
        mode: options.mode,
        socket: options.socket,
        dumpFolder: options.dumpFolder,
        command: options.command?.split(/\s+/) ?? ownCommand(),
      });
      process.stdout.write(render(result, options.format));
    });
}
