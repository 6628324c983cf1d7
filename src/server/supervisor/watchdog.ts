import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { WorkerPool } from './pool.ts';
import type { WorkerProcess } from './worker-process.ts';
import { readFileSync } from 'node:fs';

/** Loading plugins may block for longer than an event may. Milliseconds. */
const startLimitMs = 60_000;
const intervalMs = 250;
/** When a replacement has failed, the next one is tried after this long. Milliseconds. */
const retryReplacementMs = 10_000;

/** Kills workers whose event loop stands still and replaces those that have grown too large. */
export class Watchdog {
  readonly #pool: WorkerPool;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #timer: NodeJS.Timeout;

  constructor(pool: WorkerPool, options: CompiledServerOptions, log: ServerLog) {
    this.#pool = pool;
    this.#options = options;
    this.#log = log;
    this.#timer = setInterval(() => {
      this.look();
    }, intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    for (const worker of this.#pool.workers) if (!worker.killed) this.#check(worker);
  }

  #check(worker: WorkerProcess): void {
    const limitMs =
      worker.state === 'starting'
        ? Math.max(startLimitMs, this.#options.blockLimitMs)
        : this.#options.blockLimitMs;
    const silentMs = Math.round(worker.silentMs);
    const fields = { worker: worker.slot, workerPid: worker.pid };
    if (silentMs > limitMs) {
      this.#pool.restarts.blocked++;
      this.#log.crit('a worker has not turned its event loop for too long and is killed', {
        ...fields,
        silentMs,
        limitMs,
      });
      worker.suspect = true;
      worker.kill(`its event loop was blocked for ${silentMs} ms`);
      return;
    }
    const most = this.#options.maxWorkerMemory;
    if (most === null || worker.state === 'starting') return;
    const rss = residentMemory(worker.pid) ?? worker.beat?.rss ?? 0;
    if (rss <= most) return;
    const reason = `${rss} bytes of resident memory, limit ${most}`;
    // A worker that cannot be talked to goes on growing, and so may one that drains.
    if (worker.silent || (worker.state === 'draining' && rss > 2 * most)) this.#killGrown(worker, reason);
    else if (this.#pool.current.includes(worker) && !this.#replaced.has(worker))
      this.#replace(worker, reason);
  }

  #replace(worker: WorkerProcess, reason: string): void {
    this.#replaced.add(worker);
    this.#pool.restarts.memory++;
    this.#report(worker, reason);
    // Where the replacement does not come to serve, the old worker stays. Another replacement may then be tried.
    void this.#pool.replace(worker, reason).finally(() => {
      setTimeout(() => this.#replaced.delete(worker), retryReplacementMs).unref();
    });
  }

  #killGrown(worker: WorkerProcess, reason: string): void {
    if (this.#killed.has(worker)) return;
    this.#killed.add(worker);
    if (!this.#replaced.has(worker)) this.#pool.restarts.memory++;
    this.#report(worker, reason);
    worker.suspect = worker.silent;
    worker.kill(`it had ${reason}`);
  }

  #report(worker: WorkerProcess, reason: string): void {
    this.#log.error('a worker has grown beyond --max-worker-memory', {
      worker: worker.slot,
      workerPid: worker.pid,
      reason,
    });
  }

  readonly #replaced = new WeakSet<WorkerProcess>();
  readonly #killed = new WeakSet<WorkerProcess>();
}

/**
 * The resident memory of another process in bytes, which also works when its event loop stands still. Null where there
 * is no /proc, or the process is gone.
 */
function residentMemory(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
