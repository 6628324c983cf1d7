import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

interface File {
  readonly path: string;
  readonly size: number;
  readonly written: number;
}

/** The files with a suffix below a folder. What vanishes meanwhile is not there. */
export async function filesBelow(folder: string, suffix: string): Promise<File[]> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  const files: File[] = [];
  for (const name of names.filter((entry) => entry.endsWith(suffix))) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found !== null) files.push({ path, size: found.size, written: found.mtimeMs });
  }
  return files;
}

/**
 * How many bytes the owner of one folder has to delete, so that all folders of a configuration together keep no more
 * than `maxBytes`: the oldest files go, whoever they belong to, and each owner deletes its own.
 */
export async function excessOf(directory: string, mine: string, maxBytes: number): Promise<number> {
  const names = await readdir(directory).catch((): string[] => []);
  const files: File[] = [];
  for (const name of names) files.push(...(await filesBelow(join(directory, name), '.seg')));
  let excess = files.reduce((sum, { size }) => sum + size, 0) - maxBytes;
  let ours = 0;
  for (const { path, size } of files.sort((a, b) => a.written - b.written)) {
    if (excess <= 0) break;
    excess -= size;
    if (path.startsWith(mine + sep)) ours += size;
  }
  return ours;
}
