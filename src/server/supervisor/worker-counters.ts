import type { PluginReport, ServerStatus } from '../admin/status.ts';
import { addStats } from '../metrics/aggregate.ts';
import type { StatsByPlugin } from '../metrics/aggregate.ts';
import { exposition } from '../metrics/exposition.ts';
import type { HandlerFailure } from '../metrics/handler-failures.ts';
import { youngestOf } from '../metrics/handler-failures.ts';
import { historyEveryMs, StatsHistory } from '../metrics/history.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';
import { RetainedMetrics } from '../metrics/retained-metrics.ts';
import type { ServerNumbers } from '../metrics/server-metrics.ts';
import { serverMetrics } from '../metrics/server-metrics.ts';
import type { WorkerProcess } from './worker-process.ts';

/** How long a scrape waits for a worker, in milliseconds. A worker that does not answer is shown as it was. */
const patienceMs = 500;

/** The counters of all workers, also of those that have ended. */
export class WorkerCounters {
  readonly #retired: Record<string, PluginStats> = {};
  readonly #retained = new RetainedMetrics();
  /** Of workers that have ended, youngest first. */
  #failures: readonly HandlerFailure[] = [];
  readonly #workers: () => readonly WorkerProcess[];
  readonly #history: StatsHistory;

  /** @param workers all that there are now */
  constructor(workers: () => readonly WorkerProcess[]) {
    this.#workers = workers;
    this.#history = new StatsHistory(() => this.#stats(workers()));
    this.#history.start();
  }

  /** Keeps the last counters of a worker. */
  ended(worker: WorkerProcess): void {
    if (worker.beat !== null) addStats(this.#retired, worker.beat.stats);
    this.#retained.add(worker.metrics);
    this.#failures = youngestOf([this.#failures, worker.failures]);
  }

  /** Looks no more at what is counted. */
  stop(): void {
    this.#history.stop();
  }

  /** The last hour, and the last failures of handlers. */
  async report(status: ServerStatus): Promise<PluginReport> {
    const workers = this.#workers();
    await refresh(workers);
    const living = workers.filter(({ state }) => state !== 'gone');
    const failures = youngestOf([this.#failures, ...living.map((worker) => worker.failures)]);
    return { status, everyMs: historyEveryMs, history: this.#history.show(), failures };
  }

  async metrics(numbers: Omit<ServerNumbers, 'stats' | 'workers'>): Promise<{ type: string; text: string }> {
    const workers = this.#workers();
    await refresh(workers);
    const living = workers.filter(({ state }) => state !== 'gone');
    const stats = this.#stats(workers);
    // A slot has one worker that serves. A worker that drains beside it would only blur the numbers.
    const serving = living.filter(({ state }) => state !== 'draining');
    const own = serverMetrics({ ...numbers, stats, workers: serving });
    return exposition([own, this.#retained.toJson(), ...living.map(({ metrics }) => [...metrics])]);
  }

  /** What was counted up to now, as far as workers were heard of. */
  #stats(workers: readonly WorkerProcess[]): StatsByPlugin {
    const stats = addStats({}, this.#retired);
    for (const { state, beat } of workers) if (state !== 'gone' && beat !== null) addStats(stats, beat.stats);
    return stats;
  }
}

async function refresh(workers: readonly WorkerProcess[]): Promise<void> {
  const talking = workers.filter(({ state }) => state === 'ready' || state === 'draining');
  await Promise.all(talking.map((worker) => worker.refresh(patienceMs)));
}
