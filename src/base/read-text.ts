import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Text that people write: configurations, certificates, dumps. Nothing of theirs is so large. */
const usualMost = 64 * 1024 * 1024;
/** How long the writer of a pipe (`<(command)` of a shell) may pause, in milliseconds. */
const patienceMs = 10_000;
const pieceBytes = 64 * 1024;
const pauseMs = 5;

/**
 * The text of a file that somebody has named: a regular file, or a pipe as a shell makes one of `<(command)`. A pipe that
 * nobody writes to is empty and holds nobody up, and a device without an end is read no further than the limit.
 *
 * @param mostBytes what is larger is refused. Default: 64 MiB
 * @returns UTF-8, decoded
 * @throws Error for a folder, for what is too large, for a pipe that stays silent for 10 s, and what the file system throws
 */
export function readText(path: string, mostBytes = usualMost): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (fstatSync(file).isDirectory()) throw new Error('it is a folder');
    return Buffer.concat(pieces(file, mostBytes)).toString('utf8');
  } finally {
    closeSync(file);
  }
}

function pieces(file: number, mostBytes: number): Buffer[] {
  const read: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const length = readSoon(file, piece);
    if (length === 0) return read;
    bytes += length;
    if (bytes > mostBytes) throw new Error(`it is larger than ${String(mostBytes)} bytes`);
    read.push(piece.subarray(0, length));
  }
}

/** Reads once; waits where a pipe has a writer that has not written yet. */
function readSoon(file: number, piece: Buffer): number {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return readSync(file, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      if (performance.now() > end) throw new Error('nothing is written to this pipe', { cause: error });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}
