import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isServedHere } from './lease.ts';
import { plainWrite, readPlain } from './plain-file.ts';
import { Segment } from './segment.ts';
import { filesBelow } from './usage.ts';

/** The file in which a configuration says for how long its records are kept, in milliseconds. */
const maxAgeFile = 'max-age';
/** Folders of configurations; nothing else in the data directory is touched. */
const configurationFolder = /^[0-9a-f]{24}$/;
const expiredPrefix = '.expired-';

/**
 * Writes down how long the records of a configuration are kept, because a later finder cannot know it. Without this
 * file (on a full disk) the finder's own limit counts.
 */
export async function rememberMaxAge(directory: string, maxAgeMs: number): Promise<void> {
  const text = String(Math.ceil(maxAgeMs));
  await writeFile(join(directory, maxAgeFile), text, { mode: 0o600, flag: plainWrite }).catch(
    () => undefined,
  );
}

async function maxAgeOf(directory: string, otherwise: number): Promise<number> {
  const text = await readPlain(join(directory, maxAgeFile), open).then(
    ({ bytes }) => bytes.toString('utf8'),
    () => '',
  );
  return /^\d+$/.test(text) ? Number(text) : otherwise;
}

/** When something last happened in a folder, in milliseconds since 1970: a living owner shows itself every few seconds. */
async function lastSign(directory: string): Promise<number> {
  const files = [...(await filesBelow(directory, '.seg')), ...(await filesBelow(directory, 'owner'))];
  const newest = files.reduce((latest, { written }) => Math.max(latest, written), 0);
  return newest > 0 ? newest : ((await stat(directory).catch(() => null))?.mtimeMs ?? Infinity);
}

/** The rest of a sweep that ended in the middle. */
async function removeAbandoned(path: string, wall: number): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && wall - found.ctimeMs > 60_000) await rm(path, { recursive: true, force: true });
}

async function countRecords(directory: string): Promise<number> {
  let records = 0;
  for (const { path } of await filesBelow(directory, '.seg')) {
    records += await Segment.recover(path).then(
      ({ outstanding }) => outstanding,
      () => 0,
    );
  }
  return records;
}

/**
 * Deletes the folders of configurations that nobody serves any more, once nothing has happened in them for as long as
 * their records are kept. Kong tells nobody that a plugin was deleted, so this is their only end. A rename decides
 * between several that try.
 *
 * @param mine a folder that is left alone
 * @returns what was deleted with records in it
 */
export async function sweep(
  root: string,
  mine: string,
  maxAgeMs: number,
  wall: number,
): Promise<{ path: string; records: number }[]> {
  const swept: { path: string; records: number }[] = [];
  for (const name of await readdir(root)) {
    const path = join(root, name);
    if (name.startsWith(expiredPrefix)) await removeAbandoned(path, wall);
    if (!configurationFolder.test(name) || path === mine) continue;
    if (wall - (await lastSign(path)) <= (await maxAgeOf(path, maxAgeMs)) || isServedHere(path)) continue;
    const taken = join(root, `${expiredPrefix}${randomBytes(6).toString('hex')}`);
    try {
      await rename(path, taken);
    } catch {
      continue;
    }
    const records = await countRecords(taken);
    await rm(taken, { recursive: true, force: true });
    if (records > 0) swept.push({ path, records });
  }
  return swept;
}
