import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** Standard output, kept for one document while everything else that is written to it goes to standard error. */
export interface StdoutGuard {
  /** Writes to the real standard output, whole, before it returns. */
  write(text: string): void;
}

/**
 * Takes standard output away from everybody: `console.log` and `process.stdout.write` go to standard error, and
 * where the system has `/dev/fd`, so does file descriptor 1 itself (native code, child processes).
 * Has to be called before anything has used `process.stdout`.
 */
export function guardStdout(): StdoutGuard {
  const fd = moveStdout();
  const toStderr: typeof process.stdout.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    const done = rest.find((argument) => typeof argument === 'function') as (() => void) | undefined;
    const written = process.stderr.write(chunk);
    if (done !== undefined) process.nextTick(done);
    return written;
  };
  process.stdout.write = toStderr;
  return { write: (text) => writeAll(fd, Buffer.from(text)) };
}

/** Opens standard output a second time and puts standard error in its place; gives the new descriptor. */
function moveStdout(): number {
  const append = constants.O_WRONLY | constants.O_APPEND;
  let fd: number;
  try {
    fd = openSync('/dev/fd/1', append);
  } catch {
    // A socket, or no /dev/fd: what plugins write through Node still goes to standard error.
    return 1;
  }
  closeSync(1);
  // The lowest free descriptor is taken, which is 1 now.
  for (const target of ['/dev/fd/2', '/dev/null']) {
    try {
      openSync(target, append);
      break;
    } catch {
      continue;
    }
  }
  return fd;
}

function writeAll(fd: number, bytes: Buffer): void {
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      // A pipe whose reader is slow: there is nothing else to do than to try again.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}
