import { execFile, fork } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KongTsError } from '../../base/errors.ts';
import { bundledPlugin, packageRoot } from '../../base/package.ts';
import type { Protocol } from '../../pdk/names/index.ts';
import type { PluginInContainer } from './options.ts';

/** A plugin on this machine, looked at. */
export interface LocatedPlugin {
  readonly name: string;
  readonly protocol: Protocol;
  /** What `kong-ts dump` prints for it. */
  readonly dump: string;
  /** Its file, or null for one that comes with kong-ts. */
  readonly file: string | null;
  /** What has to be there beside the file for it to run. */
  readonly folder: string | null;
  /** How `kong-ts serve` on this machine is told. */
  readonly spec: string;
  /** Environment variables that it reads. */
  readonly environment: readonly string[];
}

/** The command that runs this very kong-ts on this machine. */
export const hostCommand: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('bin/kong-ts.js', packageRoot)),
];

/** Finds a plugin and asks it for its name and protocol. @throws KongTsError PLUGIN_NOT_FOUND, PLUGIN_INVALID */
export async function locatePlugin(given: PluginInContainer): Promise<LocatedPlugin> {
  const place = placeOf(given);
  const [command = '', ...rest] = hostCommand;
  const variables = variablesOf(place.spec);
  let dump: string;
  try {
    ({ stdout: dump } = await promisify(execFile)(command, [...rest, 'dump', place.spec], {
      maxBuffer: 16 * 1024 * 1024,
    }));
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new KongTsError(
      'PLUGIN_INVALID',
      `The plugin "${place.spec}" cannot be dumped: ${stderr.trim().replace(/^kong-ts: /, '')}`,
      { cause: error },
    );
  }
  const document = JSON.parse(dump) as { Protocol: string; Plugins: { Name: string }[] };
  return {
    ...place,
    dump,
    name: document.Plugins[0]?.Name ?? '',
    protocol: document.Protocol.startsWith('MsgPack') ? 'msgpack' : 'protobuf',
    environment: await variables,
  };
}

/** What a plugin says that it reads; nothing of one that does not load, which its dump tells. */
function variablesOf(spec: string): Promise<readonly string[]> {
  const script = new URL(`plugin-variables${path.extname(import.meta.url)}`, import.meta.url);
  const child = fork(fileURLToPath(script), [spec], { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.once('message', (names) => resolve(names as readonly string[]));
    child.once('error', () => resolve([]));
    child.once('close', () => resolve([]));
  });
}

function placeOf(given: PluginInContainer): Pick<LocatedPlugin, 'file' | 'folder' | 'spec'> {
  const spec = typeof given === 'string' ? given : given.file;
  if (typeof given === 'string' && bundledPlugin(spec) !== null) return { file: null, folder: null, spec };
  const file = realpathSync(fileOf(spec));
  const folder =
    typeof given === 'string' || given.folder === undefined
      ? packageFolder(file)
      : realpathSync(given.folder);
  if (path.relative(folder, file).startsWith('..'))
    throw new KongTsError('PLUGIN_NOT_FOUND', `The plugin "${file}" is not in its folder "${folder}".`, {
      fix: 'Give a folder above the file.',
    });
  return { file, folder, spec: file };
}

function fileOf(spec: string): string {
  if (existsSync(spec) && statSync(spec).isFile()) return path.resolve(spec);
  try {
    return createRequire(path.join(process.cwd(), 'package.json')).resolve(spec);
  } catch (error) {
    throw new KongTsError('PLUGIN_NOT_FOUND', `There is no plugin "${spec}" in ${process.cwd()}.`, {
      cause: error,
      fix: 'Give a file that exists, the name of an installed package, or of a plugin that comes with kong-ts.',
    });
  }
}

/** The outermost node_modules' parent, or the nearest folder with a package.json, or the file's own. */
function packageFolder(file: string): string {
  const modules = file.indexOf(`${path.sep}node_modules${path.sep}`);
  if (modules > 0) return file.slice(0, modules);
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) return path.dirname(file);
  }
}
