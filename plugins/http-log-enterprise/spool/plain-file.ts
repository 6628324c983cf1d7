import { constants, writeSync } from 'node:fs';
import type { FileHandle, open } from 'node:fs/promises';

/** Opens files; tests put a disk that is full in its place. */
export type OpenFile = typeof open;

/**
 * Writes the first `length` bytes to a place in a file while everything waits.
 *
 * @throws what the file system throws; a part may be written then
 */
export type WriteNow = (file: FileHandle, bytes: Buffer, length: number, position: number) => void;

export const writeNow: WriteNow = (file, bytes, length, position) => {
  for (let at = 0; at < length;) at += writeSync(file.fd, bytes, at, length - at, position + at);
};

/** Neither a link nor a pipe that nobody writes to. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** The same for a file that is written anew. */
export const plainWrite =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** No segment has this many bytes, because a new one begins at 4 MiB, and a single write is in memory before. */
const largest = 256 * 1024 * 1024;

/**
 * Opens a file that a former process has left. The folder belongs to its owner, but its contents are still a claim.
 *
 * @throws Error for a file that is not regular, or too large for a spool; otherwise the file system's error
 */
export async function openPlain(path: string, open: OpenFile): Promise<FileHandle> {
  const file = await open(path, readOnly);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error('it is not a regular file');
    if (found.size > largest) throw new Error(`it has ${found.size} bytes, more than a file of a spool has`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** All of such a file, and when it was written, in milliseconds since 1970. */
export async function readPlain(path: string, open: OpenFile): Promise<{ bytes: Buffer; written: number }> {
  const file = await openPlain(path, open);
  try {
    return { bytes: await file.readFile(), written: (await file.stat()).mtimeMs };
  } finally {
    await file.close();
  }
}
