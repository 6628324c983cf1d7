import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { KongTsError } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';

/** The folder that a project keeps its plugins in. */
export const pluginsFolder = 'plugins';

/** Where a package has its plugin, if its manifest does not say. */
const usualPlaces = ['index', 'plugin', 'src/index', 'src/plugin'] as const;
const endings = ['.ts', '.mts', '.js', '.mjs', '.cts', '.cjs'] as const;

/** Whoever writes more than this into a file has not written a plugin by hand. In bytes. */
const largestSource = 1024 * 1024;

/**
 * The plugins of a project, as `kong-ts serve` takes them: what lies in ./plugins; else the package's own plugin; else the files of
 * the folder that call definePlugin.
 *
 * @throws KongTsError PLUGIN_NOT_FOUND where there are none
 */
export function findPlugins(folder: string): string[] {
  const found = [() => inPlugins(folder), () => ofPackage(folder), () => beside(folder)];
  for (const find of found) {
    const plugins = find();
    if (plugins.length > 0) return plugins;
  }
  throw new KongTsError('PLUGIN_NOT_FOUND', `There is no plugin in ${folder}.`, {
    fix: `Put one into ./${pluginsFolder}, name its file (kong-ts dev ./hello.ts), or begin with kong-ts init.`,
  });
}

/** Files with a default export, and folders with an index. */
function inPlugins(folder: string): string[] {
  const inside = path.join(folder, pluginsFolder);
  return namesIn(inside).flatMap((name) => {
    const entry = path.join(inside, name);
    const file = isFolder(entry) ? usualFile(entry, ['index']) : entry;
    if (file === null || !isSource(file) || !exportsPlugin(file)) return [];
    return [`./${pluginsFolder}/${path.relative(inside, file)}`];
  });
}

function ofPackage(folder: string): string[] {
  const file = mainOf(folder) ?? usualFile(folder, usualPlaces);
  return file !== null && exportsPlugin(file) ? [`./${path.relative(folder, file)}`] : [];
}

function beside(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => isSource(name) && callsDefinePlugin(path.join(folder, name)))
    .map((name) => `./${name}`);
}

/** The source that the manifest names: what a build has made of it is not what a person edits. */
function mainOf(folder: string): string | null {
  const manifest = path.join(folder, 'package.json');
  if (!existsSync(manifest)) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(manifest, 'utf8'));
  } catch {
    return null;
  }
  const { main, exports } = Object(parsed) as { main?: unknown; exports?: unknown };
  const named = [exports, main].find((each) => typeof each === 'string');
  if (typeof named !== 'string' || /(^|\/)(dist|build|lib)\//.test(named)) return null;
  const file = path.resolve(folder, named);
  return isSource(file) && isFile(file) ? file : null;
}

function usualFile(folder: string, places: readonly string[]): string | null {
  const candidates = places.flatMap((place) => endings.map((ending) => path.join(folder, place + ending)));
  return candidates.find(isFile) ?? null;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && !name.startsWith('_') && name !== 'node_modules')
      .toSorted();
  } catch {
    return [];
  }
}

/** Neither a test nor a declaration. */
const isSource = (file: string): boolean =>
  endings.some((ending) => file.endsWith(ending)) && !/\.(test|spec|d)\.[cm]?[jt]s$/.test(file);

const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

const exportsPlugin = (file: string): boolean =>
  /\bexport\s+default\b|\bas\s+default\b|\bmodule\.exports\b/.test(textOf(file));

const callsDefinePlugin = (file: string): boolean => /\bdefinePlugin\s*\(/.test(textOf(file));

function textOf(file: string): string {
  try {
    return isFile(file) ? readText(file, largestSource) : '';
  } catch {
    return '';
  }
}
