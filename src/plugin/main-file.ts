import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What a package names as its main file: it may lack the ending of TypeScript, which Node's own search does not know. */
export function mainOf(folder: string): string[] {
  try {
    const { main } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
      main?: unknown;
    };
    return typeof main === 'string' ? [path.join(folder, main), path.join(folder, main, 'index')] : [];
  } catch {
    return [];
  }
}
