import type { DumpDocument } from '../../plugin/index.ts';
import { randomInt } from 'node:crypto';
import type { KongMaster } from '../keeper/kong-master.ts';
import type { LoadReport, Parting, Withheld, WorkerStart } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import { isAccident } from './accident.ts';
import { AwakeClock } from './awake-clock.ts';
import { Backoff } from './backoff.ts';
import type { WorkerEvents } from './worker-process.ts';
import { WorkerProcess } from './worker-process.ts';

/** How long the plugins of a replacement may take to load, in milliseconds. The worker before it serves until then. */
const loadLimitMs = 60_000;

/** What the pool tells the supervisor. */
export interface PoolEvents extends Omit<WorkerEvents, 'booted' | 'gone' | 'loaded'> {
  /** The worker may have connections from now on. */
  attach(worker: WorkerProcess): void;
  /** The worker gets no new connections. */
  detach(worker: WorkerProcess): void;
  /** Its process has ended. Returns how many connections that has closed. */
  lost(worker: WorkerProcess): number;
  loaded(worker: WorkerProcess, report: LoadReport): void;
  /** What new workers have to know. */
  withheld(): readonly Withheld[];
}

interface Slot {
  readonly index: number;
  readonly backoff: Backoff;
  current: WorkerProcess | null;
  /** Set while a replacement for a worker that is still serving starts. */
  replacing: boolean;
}

/** How often workers were started anew, by reason. */
export interface RestartCounts {
  died: number;
  blocked: number;
  memory: number;
}

/** The worker processes: one per slot, replaced when they die, block, grow too large or when plugins are reloaded. */
export class WorkerPool {
  readonly restarts: RestartCounts = { died: 0, blocked: 0, memory: 0 };
  readonly #options: CompiledServerOptions;
  readonly #events: PoolEvents;
  readonly #log: ServerLog;
  readonly #kong: KongMaster | null;
  readonly #slots: Slot[];
  readonly #awake = new AwakeClock();
  readonly #all = new Set<WorkerProcess>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #hooks: string | null = null;
  /** The first number is random, because the workers of a server that is taken over have numbers, too. */
  #lastUid = randomInt(256);
  #stopping = false;

  /** @param kong the Kong that has started this server; null: none has */
  constructor(
    options: CompiledServerOptions,
    log: ServerLog,
    events: PoolEvents,
    kong: KongMaster | null = null,
  ) {
    this.#options = options;
    this.#kong = kong;
    this.#log = log;
    this.#events = events;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      index,
      backoff: new Backoff({ firstMs: 100, mostMs: 5000, healthyAfterMs: 10_000 }),
      current: null,
      replacing: false,
    }));
  }

  /** Every worker process that lives, draining ones too. */
  get workers(): ReadonlySet<WorkerProcess> {
    return this.#all;
  }

  /** The workers that serve, one per slot at most. */
  get current(): WorkerProcess[] {
    return this.#slots.flatMap(({ current }) => current ?? []);
  }

  byUid(uid: number): WorkerProcess | null {
    for (const worker of this.#all) if (worker.uid === uid) return worker;
    return null;
  }

  start(): void {
    for (const slot of this.#slots) slot.current = this.#spawn(slot);
  }

  /** Tells every worker, also those to come, where the event hook dispatcher listens. */
  setHooks(address: string): void {
    this.#hooks = address;
    for (const worker of this.#all) worker.hooks(address);
  }

  /**
   * Starts new workers and drains the old ones once the new ones serve. When the first new worker cannot load every
   * plugin, nothing changes.
   */
  async reload(): Promise<LoadReport> {
    const [first, ...rest] = this.#slots;
    if (first === undefined) return { plugins: [], failures: [], usesEventHooks: false };
    const report = await this.#swap(first, (loaded) => loaded.failures.length === 0);
    if (report.failures.length === 0) await Promise.all(rest.map((slot) => this.#swap(slot, () => true)));
    return report;
  }

  /** Replaces one worker by a new one without a gap. */
  async replace(worker: WorkerProcess, reason: string): Promise<void> {
    const slot = this.#slots[worker.slot];
    if (slot?.current !== worker || slot.replacing || this.#stopping) return;
    this.#log.warn('a worker is replaced', { worker: worker.slot, workerPid: worker.pid, reason });
    await this.#swap(slot, () => true);
  }

  /** Drains every worker; resolves when all processes have ended. May be called again with a quicker parting. */
  async stop(limit: number, parting: Exclude<Parting, 'hand over'>): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([...this.#all].map((worker) => worker.drain(limit, parting)));
    this.#awake.stop();
  }

  /** What Kong reads of each plugin that a worker has loaded; null while none has. */
  async dump(): Promise<readonly DumpDocument[] | null> {
    const ready = this.current.find(({ state }) => state === 'ready');
    return ready === undefined ? null : ready.dump();
  }

  async #swap(slot: Slot, accept: (report: LoadReport) => boolean): Promise<LoadReport> {
    slot.replacing = true;
    try {
      const candidate = this.#spawn(slot);
      const late = setTimeout(() => {
        candidate.kill('its plugins did not load in time');
      }, loadLimitMs);
      const report = await candidate.loading;
      clearTimeout(late);
      if (report === null) {
        return {
          plugins: [],
          failures: [{ spec: '', message: 'the new worker ended before its plugins were loaded' }],
          usesEventHooks: false,
        };
      }
      if (!accept(report) || this.#stopping) {
        candidate.kill('its plugins do not load, the worker before it stays');
        return report;
      }
      const old = slot.current;
      slot.current = candidate;
      this.#events.attach(candidate);
      if (old !== null) {
        this.#events.detach(old);
        void old.drain(this.#options.drainTimeoutMs, 'hand over');
      }
      return report;
    } finally {
      slot.replacing = false;
    }
  }

  #spawn(slot: Slot): PooledWorker {
    const start: Omit<WorkerStart, 'inFlight'> = {
      options: this.#options,
      uid: this.#nextUid(),
      slot: slot.index,
      count: this.#slots.length,
      kong: this.#kong,
      hooks: this.#hooks,
      careful: slot.backoff.failures > 0,
      withheld: this.#events.withheld(),
    };
    const worker: PooledWorker = new PooledWorker(
      start,
      {
        ...this.#events,
        booted: () => {
          if (slot.current === worker && !this.#stopping) this.#events.attach(worker);
        },
        loaded: (_, report) => {
          this.#events.loaded(worker, report);
        },
        gone: (_, why) => {
          this.#all.delete(worker);
          const waitMs = slot.current === worker && !this.#stopping ? this.#nextWait(slot, worker) : 0;
          const closed = this.#events.lost(worker);
          if (slot.current === worker) this.#died(slot, worker, { why, closed, waitMs });
        },
      },
      this.#awake,
    );
    this.#all.add(worker);
    return worker;
  }

  /**
   * How long the successor of a worker waits. A worker that dies soon after the one before it is suspected, see
   * WorkerProcess, unless it died by accident.
   */
  #nextWait(slot: Slot, worker: WorkerProcess): number {
    const waitMs = slot.backoff.next(Date.now() - worker.startedAt);
    const { killedFromOutside, silent, servedMs } = worker;
    if (waitMs > 0)
      worker.suspect = !isAccident({ killedFromOutside, silent, servedMs, inARow: slot.backoff.failures });
    return waitMs;
  }

  #died(
    slot: Slot,
    worker: WorkerProcess,
    { why, closed, waitMs }: { why: string; closed: number; waitMs: number },
  ): void {
    slot.current = null;
    if (this.#stopping) return;
    if (!worker.killed) this.restarts.died++;
    this.#log.error('a worker has died and is started again', {
      worker: worker.slot,
      workerPid: worker.pid,
      why,
      connectionsClosed: closed,
      restartInMs: waitMs,
    });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#stopping && slot.current === null) slot.current = this.#spawn(slot);
    }, waitMs);
    this.#timers.add(timer);
  }

  /** A number from 0 to 255 that is not in use. It is a part of MsgPack:1 event ids. */
  #nextUid(): number {
    do this.#lastUid = (this.#lastUid + 1) % 256;
    while (this.byUid(this.#lastUid) !== null);
    return this.#lastUid;
  }
}

/** A worker process whose loading can be waited for; null when it ended before. */
class PooledWorker extends WorkerProcess {
  readonly loading: Promise<LoadReport | null>;

  constructor(start: Omit<WorkerStart, 'inFlight'>, events: WorkerEvents, awake: AwakeClock) {
    let settle: (report: LoadReport | null) => void = () => undefined;
    const loading = new Promise<LoadReport | null>((resolve) => {
      settle = resolve;
    });
    super(
      start,
      {
        ...events,
        loaded(worker, report) {
          events.loaded(worker, report);
          settle(report);
        },
        gone(worker, why) {
          settle(null);
          events.gone(worker, why);
        },
      },
      awake,
    );
    this.loading = loading;
  }
}
