import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The package.json that says how Node reads a file, null if there is none. */
export function manifestOf(file: string): string | null {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json');
    if (existsSync(manifest)) return manifest;
    if (folder === path.dirname(folder)) return null;
  }
}

/** Its `type`. Null if it has none or cannot be read: then Node looks at the syntax of each file. */
export function typeIn(manifest: string): 'module' | 'commonjs' | null {
  try {
    const { type } = JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown };
    return type === 'module' || type === 'commonjs' ? type : null;
  } catch {
    return null;
  }
}
