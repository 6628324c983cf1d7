import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The main file that a package names. It may lack its ending of TypeScript, which Node's own search does not try. */
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
