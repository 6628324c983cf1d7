import { createRequire } from 'node:module';
import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { KongTsError } from '../base/errors.ts';
import { bundledPlugin } from '../base/package.ts';
import { mainOf } from './main-file.ts';

/** Endings that a plugin file may have; tried in this order for a path without one. */
export const pluginExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'] as const;

/** The file of a plugin that `loadPlugin` would load. */
export function findPlugin(spec: string, cwd: string): string {
  if (spec.startsWith('file:')) return findFile(fileURLToPath(spec), spec);
  if (isPath(spec)) return findFile(path.resolve(cwd, spec), spec);
  const bundled = bundledPlugin(spec);
  if (bundled !== null) return fileURLToPath(bundled);
  try {
    return createRequire(pathToFileURL(path.join(cwd, 'plugin.js'))).resolve(spec);
  } catch (cause) {
    const beside = existing(path.resolve(cwd, spec));
    throw new KongTsError(
      'PLUGIN_NOT_FOUND',
      `There is no plugin "${spec}": none that comes with kong-ts has this name, and no package can be found from ${cwd}.`,
      {
        cause,
        fix:
          beside === null
            ? 'Install the package, or give a path: ./my-plugin.ts.'
            : `For the file, write ./${spec}.`,
      },
    );
  }
}

function isPath(spec: string): boolean {
  return (
    path.isAbsolute(spec) ||
    /^\.{0,2}[\\/]/.test(spec) ||
    spec === '.' ||
    spec === '..' ||
    /\.[cm]?[jt]s$/.test(spec)
  );
}

function findFile(file: string, spec: string): string {
  const found = existing(file);
  if (found !== null) return found;
  throw new KongTsError(
    'PLUGIN_NOT_FOUND',
    `There is no plugin file ${file}${spec === file ? '' : ` ("${spec}")`}.`,
    {
      fix: `Give a file that exists; endings are ${pluginExtensions.join(', ')}.`,
    },
  );
}

function existing(file: string): string | null {
  for (const candidate of [file, ...pluginExtensions.map((extension) => file + extension)]) {
    const stats = statSync(candidate, { throwIfNoEntry: false });
    if (stats?.isFile() === true) return realpathSync(candidate);
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  try {
    return createRequire(pathToFileURL(`${file}${path.sep}`)).resolve(file);
  } catch {
    const parts = [...mainOf(file), path.join(file, 'index')];
    const candidates = parts.flatMap((part) => pluginExtensions.map((extension) => part + extension));
    return (
      candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true) ??
      null
    );
  }
}
