import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { KongTsError } from '../base/errors.ts';
import type { Format, PluginSource } from '../kong-setup/index.ts';
import { formats, render, pluginFolder, kongSettings, factsOf } from '../kong-setup/index.ts';
import { findPlugin, loadPlugin } from '../plugin/index.ts';
import { bundledPlugin, packageRoot } from '../base/package.ts';
import { endLoading, startLoading } from './load-guard.ts';
import { printDocument } from './print-document.ts';

interface Options {
  kong: string;
  format: Format;
  mode: 'managed' | 'sidecar';
  socket?: string;
  dumpFolder?: string;
  command?: string;
  sidecarImage?: string;
  serveOptions?: string;
}

/**
 * Where the socket lies and which command runs kong-ts, by default. The formats compose and helm are for containers:
 * - The command is that of the image of docker/Dockerfile.
 * - The socket lies in Kong's prefix, which may be written to when the root file system is read-only. For compose that
 *   is the image's prefix, for helm the one that Kong's chart sets.
 */
function defaultsOf(mode: 'managed' | 'sidecar', format: Format): { socket: string; command: string[] } {
  // Beside a sidecar the folder is a volume, which must not hide Kong's own folder.
  if (mode === 'sidecar') return { socket: '/run/kong-ts/kong-ts.socket', command: ownCommand() };
  const command = ['/usr/local/bin/kong-ts'];
  if (format === 'compose') return { socket: '/run/kong/kong-ts.socket', command };
  if (format === 'helm') return { socket: '/kong_prefix/kong-ts.socket', command };
  return { socket: '/usr/local/kong/kong-ts.socket', command: ownCommand() };
}

/** The command that runs this very kong-ts, absolute, as Kong's short PATH needs it. */
export function ownCommand(): string[] {
  return [process.execPath, fileURLToPath(new URL('bin/kong-ts.js', packageRoot))];
}

/** A plugin as Kong's configuration names it: bundled ones by name, all others by an absolute path. */
export async function describePlugin(spec: string): Promise<PluginSource> {
  startLoading(spec);
  const { name, protocol, environment = [] } = await loadPlugin(spec).finally(endLoading);
  if (!isAbsolute(spec) && bundledPlugin(spec) !== null) return { name, protocol, spec, environment };
  const file = absoluteSpec(spec);
  return { name, protocol, spec: file, folder: pluginFolder(file), environment };
}

/** Kong runs its commands in a folder of its own, where a relative path or a package name means something else. */
function absoluteSpec(spec: string): string {
  if (isAbsolute(spec)) return spec;
  const file = findPlugin(spec, process.cwd());
  const written = resolve(spec);
  // Links in the path stay as they were written.
  return existsSync(written) && realpathSync(written) === file ? written : file;
}

/** @throws KongTsError USAGE for an option that would have no effect */
function checkMode({ mode, dumpFolder, sidecarImage }: Options): void {
  if (mode === 'sidecar' || (dumpFolder === undefined && sidecarImage === undefined)) return;
  const option = dumpFolder === undefined ? '--sidecar-image' : '--dump-folder';
  throw new KongTsError('USAGE', `${option} is for a plugin server beside Kong.`, {
    fix: 'Add --mode sidecar, or leave it out.',
  });
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
    .option(
      '--socket <path>',
      'absolute path of the unix socket (default: /usr/local/kong/kong-ts.socket; compose: /run/kong/kong-ts.socket; helm: /kong_prefix/kong-ts.socket; sidecar: /run/kong-ts/kong-ts.socket)',
    )
    .option(
      '--dump-folder <path>',
      'sidecar: where Kong finds <plugin>.json (default: the folder of the socket)',
    )
    .option(
      '--serve-options <words>',
      'further options of kong-ts serve, as one word: "--event-hooks-admin 127.0.0.1:8011"',
    )
    .option('--sidecar-image <image>', "sidecar: the plugin server's image, in compose and helm")
    .option(
      '--command <command>',
      'what runs kong-ts where Kong is, absolute (default: this one; compose and helm: /usr/local/bin/kong-ts)',
    )
    .action(async (specs: string[], options: Options) => {
      const facts = factsOf(options.kong);
      checkMode(options);
      await printDocument(async (stdout) => {
        const plugins: PluginSource[] = [];
        // Plugins load one after the other, so that an error names the plugin that fails.
        for (const spec of specs) plugins.push(await describePlugin(spec));
        const { mode, sidecarImage, serveOptions } = options;
        const defaults = defaultsOf(mode, options.format);
        const socket = options.socket ?? defaults.socket;
        const result = kongSettings({
          plugins,
          facts,
          mode,
          socket,
          dumpFolder: options.dumpFolder ?? dirname(socket),
          ...(serveOptions === undefined ? {} : { serveOptions: serveOptions.trim().split(/\s+/) }),
          ...(sidecarImage === undefined ? {} : { sidecarImage }),
          command: options.command?.trim().split(/\s+/) ?? defaults.command,
        });
        stdout.write(render(result, options.format));
      });
    });
}
