import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Standard output, kept for one document while everything else that is written to it goes to standard error. */
export interface StdoutGuard {
  /** Writes to the real standard output, whole, before it returns. */
  write(content: string | Buffer): void;
}

/** Tells a process that was started again which descriptor is the real standard output. */
const inheritedFd = 'KONG_TS_STDOUT_FD';

/**
 * Takes standard output away from everybody: `console.log`, `process.stdout.write`, native code and child processes
 * all reach standard error. Call it before anything has used `process.stdout`.
 *
 * Descriptor 1 may be one that cannot be opened a second time: a socket, as Node's own child_process gives, or a file,
 * whose position would not be shared. Then this process is started again with its descriptors arranged.
 * @returns null when the second process has done the work and `process.exitCode` is set
 */
export function guardStdout(): StdoutGuard | null {
  const inherited = process.env[inheritedFd];
  delete process.env[inheritedFd];
  const fd = inherited === undefined ? moveStdout() : Number(inherited);
  if (fd === null) {
    startAgain();
    return null;
  }
  return { write: (content) => writeAll(fd, typeof content === 'string' ? Buffer.from(content) : content) };
}

/** Opens standard output a second time and puts standard error in its place; gives the new descriptor. */
function moveStdout(): number | null {
  if (!canOpenAgain(1) || !canOpenAgain(2)) return null;
  const append = constants.O_WRONLY | constants.O_APPEND;
  let fd: number;
  let spare: number;
  try {
    fd = openSync('/dev/fd/1', append);
    spare = openSync('/dev/fd/2', append);
  } catch {
    return null;
  }
  closeSync(1);
  // The lowest free descriptor is taken, which is 1 now.
  openSync('/dev/fd/2', append);
  closeSync(spare);
  return fd;
}

/** A pipe or a terminal has no position; a file's does not matter when every write goes to its end. */
function canOpenAgain(fd: number): boolean {
  const stats = fstatSync(fd);
  if (!stats.isFile()) return stats.isFIFO() || stats.isCharacterDevice();
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & constants.O_APPEND) !== 0;
  } catch {
    return false;
  }
}

function startAgain(): void {
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 2, 2, 1],
    env: { ...process.env, [inheritedFd]: '3' },
  });
  process.exitCode = status ?? 1;
}

function writeAll(fd: number, bytes: Buffer): void {
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      // The reader has gone. The rest is lost, which is not an error.
      if (code === 'EPIPE') return;
      // The pipe is full because its reader is slow. All that can be done is to try again.
      if (code !== 'EAGAIN') throw error;
    }
  }
}
