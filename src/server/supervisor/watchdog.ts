import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { WorkerPool } from './pool.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Loading plugins may block for longer than an event may. Milliseconds. */
const startLimit = 60_000;
const interval = 250;

/** Kills workers whose event loop stands still and replaces those that have grown too large. */
export class Watchdog {
  readonly #pool: WorkerPool;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #timer: NodeJS.Timeout;
  #lastLook = Date.now();
  #ignoreUntil = 0;

  constructor(pool: WorkerPool, options: CompiledServerOptions, log: ServerLog) {
    this.#pool = pool;
    this.#options = options;
    this.#log = log;
    this.#timer = setInterval(() => {
      this.look(Date.now());
    }, interval);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(now: number): void {
    // When this process itself was stopped or starved, the workers get a full term to be heard again.
    if (now - this.#lastLook > interval + 1000) this.#ignoreUntil = now + this.#options.blockLimit;
    this.#lastLook = now;
    if (now < this.#ignoreUntil) return;
    for (const worker of this.#pool.workers) this.#check(worker, now);
  }

  #check(worker: WorkerProcess, now: number): void {
    const limit =
      worker.state === 'starting' ? Math.max(startLimit, this.#options.blockLimit) : this.#options.blockLimit;
    const silent = now - worker.lastBeatAt;
    const fields = { worker: worker.slot, workerPid: worker.pid };
    if (silent > limit) {
      this.#pool.restarts.blocked++;
      this.#log.crit('a worker has not turned its event loop for too long and is killed', {
        ...fields,
        silentMs: silent,
        limitMs: limit,
      });
      worker.suspect = true;
      worker.kill(`its event loop was blocked for ${silent} ms`);
      worker.lastBeatAt = now;
      return;
    }
    const most = this.#options.maxWorkerMemory;
    const rss = worker.beat?.rss ?? 0;
    if (most === null || rss <= most || worker.state !== 'ready') return;
    if (!this.#pool.current.includes(worker) || this.#replaced.has(worker)) return;
    this.#replaced.add(worker);
    this.#pool.restarts.memory++;
    this.#log.error('a worker has grown beyond --max-worker-memory', { ...fields, rss, limit: most });
    void this.#pool.replace(worker, `${rss} bytes of resident memory, limit ${most}`);
  }

  readonly #replaced = new WeakSet<WorkerProcess>();
}
