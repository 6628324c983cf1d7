import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { readPlain } from './plain-file.ts';

/** How often the owner of a folder shows that it lives, in milliseconds. */
export const heartbeatEveryMs = 5_000;
/** A folder whose owner has not shown itself for so long is ownerless, in milliseconds. */
const staleAfterMs = 30_000;
const ownerFile = 'owner';
const prefix = 'w-';

/** Folders of this very process: a process id says nothing about them. */
const ours = new Set<string>();

/** Makes a folder that belongs to this process. It appears with its owner file in it, so nobody takes it for ownerless. */
export async function claimFolder(parent: string): Promise<string> {
  const name = `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`;
  const temporary = join(parent, `.${name}`);
  const folder = join(parent, name);
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  const owner = JSON.stringify({ pid: process.pid, host: hostname() });
  await writeFile(join(temporary, ownerFile), owner, { mode: 0o600 });
  ours.add(folder);
  await rename(temporary, folder);
  return folder;
}

/** Whether this process has a folder below a configuration's: it may have slept and not have shown itself for long. */
export function isServedHere(parent: string): boolean {
  return [...ours].some((folder) => dirname(folder) === parent);
}

export async function heartbeat(folder: string, wall: number): Promise<void> {
  await utimes(join(folder, ownerFile), wall / 1000, wall / 1000);
}

/** Gives a folder up: with records in it, the next process takes it; without, it goes. */
export async function releaseFolder(folder: string, empty: boolean): Promise<void> {
  if (empty) await rm(folder, { recursive: true, force: true });
  else await rm(join(folder, ownerFile), { force: true });
  ours.delete(folder);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function isOwned(folder: string, wall: number): Promise<boolean> {
  if (ours.has(folder)) return true;
  try {
    const { bytes, written } = await readPlain(join(folder, ownerFile), open);
    const owner = JSON.parse(bytes.toString('utf8')) as { pid: number; host: string };
    if (owner.host === hostname() && (owner.pid === process.pid || !isAlive(owner.pid))) return false;
    return wall - written < staleAfterMs;
  } catch {
    return false;
  }
}

/**
 * Takes over the folders of processes that are gone. A rename decides between several that try: each folder comes to
 * exactly one. Returns the segment files, oldest first.
 */
export async function adoptFolders(parent: string, mine: string, wall: number): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(parent, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix));
  for (const name of folders.map((entry) => entry.name).sort()) {
    const folder = join(parent, name);
    if (folder === mine || (await isOwned(folder, wall))) continue;
    const adopted = join(mine, name);
    try {
      await rename(folder, adopted);
      const files = await readdir(adopted, { recursive: true });
      found.push(...files.filter((file) => file.endsWith('.seg')).map((file) => join(adopted, file)));
    } catch {
      // Another process has it, or nobody can read it. The other folders must not wait for it.
      continue;
    }
  }
  return found.sort();
}
