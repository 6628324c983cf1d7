import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Loaded before the program in every process of a server (`--import`): on SIGUSR2 a process collects its garbage and
 * writes what is left to `KONG_TS_MEMORY_REPORTS/<pid>.json`. It needs --expose-gc.
 */
export interface MemoryReport {
  /** Bytes of JavaScript objects, and of what they hold outside of the heap, that are in use. */
  live: number;
  heapUsed: number;
  heapTotal: number;
  external: number;
  arrayBuffers: number;
  rss: number;
}

const folder = process.env['KONG_TS_MEMORY_REPORTS'];

function collect(): void {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('--expose-gc is missing');
  gc();
}

function report(): void {
  const { heapUsed, heapTotal, external, arrayBuffers, rss } = process.memoryUsage();
  const figures: MemoryReport = {
    live: heapUsed + external,
    heapUsed,
    heapTotal,
    external,
    arrayBuffers,
    rss,
  };
  const file = join(folder ?? '', `${String(process.pid)}.json`);
  writeFileSync(`${file}.new`, JSON.stringify(figures));
  renameSync(`${file}.new`, file);
}

if (folder !== undefined) {
  process.on('SIGUSR2', () => {
    collect();
    // What waits for a turn of the event loop to be let go of (sockets, finalizers) is garbage only then.
    setTimeout(() => {
      collect();
      report();
    }, 50);
  });
}
