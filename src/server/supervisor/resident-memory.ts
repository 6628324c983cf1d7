import { readFileSync } from 'node:fs';

/**
 * The resident memory of another process in bytes, which also works when its event loop stands still. Null where there
 * is no /proc, or the process is gone.
 */
export function residentMemory(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
