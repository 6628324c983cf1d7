import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';

/** Read and write for the owner, nothing for others. */
export const privateFileMode = 0o600;
const privateFolderMode = 0o700;

/**
 * What this process and its children write is for its own user alone, whatever the umask that it was started with: Kong
 * leaves 0 to the servers that it starts (measured on Kong 3.9.3). For programs, not for libraries.
 */
export function useOwnUmask(): void {
  process.umask(0o077);
}

/** Makes a folder and its parents where they are missing; those that it makes have the mode, whatever the umask. */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode });
  for (const made of madeFolders(path, first)) await chmod(made, mode);
}

/**
 * Makes a folder for files of this user alone. One that is there is closed to others if it belongs to this user and holds
 * nothing but what is ours: a folder that serves other purposes, too, is left as it is.
 *
 * @param isOurs tells names of entries that are ours
 * @throws what the file system throws when it cannot be made
 */
export function makePrivateFolder(path: string, isOurs: (name: string) => boolean): void {
  const first = mkdirSync(path, { recursive: true, mode: privateFolderMode });
  for (const made of madeFolders(path, first)) chmodSync(made, privateFolderMode);
  if (first !== undefined) return;
  const now = lstatSync(path);
  if (!now.isDirectory() || now.uid !== process.geteuid?.() || (now.mode & 0o077) === 0) return;
  if (readdirSync(path).every(isOurs)) chmodSync(path, privateFolderMode);
}

/**
 * Sees to it that a file and those that a library makes beside it are for this user alone, before anything is written to
 * them. Makes the file when it is not there; what belongs to somebody else stays as it is.
 *
 * @param beside what is added to the path for the others, such as `-wal`
 * @throws what the file system throws when the file cannot be made
 */
export function makePrivateFile(path: string, beside: readonly string[] = []): void {
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, privateFileMode));
  for (const each of ['', ...beside]) {
    const now = lstatSync(path + each, { throwIfNoEntry: false });
    if (now?.isFile() !== true || now.uid !== process.geteuid?.() || (now.mode & 0o077) === 0) continue;
    chmodSync(path + each, privateFileMode);
  }
}

/** The folders from the first one that was made down to the last. */
function madeFolders(path: string, first: string | undefined): string[] {
  if (first === undefined) return [];
  const made: string[] = [];
  const top = resolve(first);
  for (let at = resolve(path); at === top || at.startsWith(top + sep); at = dirname(at)) made.push(at);
  return made;
}
