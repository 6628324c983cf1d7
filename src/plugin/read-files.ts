import module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { signatureOf } from '../base/file-signature.ts';
import type { SeenFile } from '../base/file-signature.ts';
import { packageRoot } from '../base/package.ts';
import { manifestOf } from './manifest.ts';

/** Code of this package does not belong to a plugin, but plugins/ does. */
const own = ['src/', 'dist/', 'bin/'].map((folder) => fileURLToPath(new URL(folder, packageRoot)));

/**
 * Tells of every file that is imported from now on, at once and before it is read: plugins, what they import (JSON as
 * well), the package.json that says how Node reads each of them, and the place of a file that is imported and is not
 * there. Files below node_modules are left out. It does not see a file that is opened and not imported.
 *
 * @param tell is called with files that were not told of before
 */
export function recordReadFiles(tell: (files: readonly SeenFile[]) => void): void {
  const told = new Set<string>();
  const read = (paths: readonly string[]): void => {
    const fresh = paths.filter((each) => !told.has(each) && !isForeign(each));
    for (const each of fresh) told.add(each);
    if (fresh.length > 0) tell(fresh.map((each) => ({ path: each, signature: signatureOf(each) })));
  };
  module.registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        const resolved = nextResolve(specifier, context);
        const file = filePath(resolved.url);
        if (file !== null) read([file, ...manifestPlace(file)]);
        return resolved;
      } catch (error) {
        const wanted = wantedFile(specifier, context.parentURL);
        if (wanted !== null) read([wanted]);
        throw error;
      }
    },
  });
}

function isForeign(file: string): boolean {
  return file.split(path.sep).includes('node_modules') || own.some((folder) => file.startsWith(folder));
}

function filePath(url: string): string | null {
  return url.startsWith('file:') ? fileURLToPath(new URL(url.replace(/[?#].*$/, ''))) : null;
}

/** The package.json that counts for a file. Where there is none, the place beside it where one would count. */
function manifestPlace(file: string): string[] {
  return isForeign(file) ? [] : [manifestOf(file) ?? path.join(path.dirname(file), 'package.json')];
}

/** Where a file would be that an import names by its path. */
function wantedFile(specifier: string, parent: string | undefined): string | null {
  if (parent === undefined || !/^\.{0,2}\/|^file:/.test(specifier)) return null;
  try {
    return filePath(new URL(specifier, parent).href);
  } catch {
    return null;
  }
}
