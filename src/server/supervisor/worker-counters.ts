import { addStats } from '../metrics/aggregate.ts';
import { exposition } from '../metrics/exposition.ts';
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

  /** Keeps the last counters of a worker. */
  ended(worker: WorkerProcess): void {
    if (worker.beat !== null) addStats(this.#retired, worker.beat.stats);
    this.#retained.add(worker.metrics);
  }

  async metrics(
    workers: readonly WorkerProcess[],
    numbers: Omit<ServerNumbers, 'stats' | 'workers'>,
  ): Promise<{ type: string; text: string }> {
    const talking = workers.filter(({ state }) => state === 'ready' || state === 'draining');
    await Promise.all(talking.map((worker) => worker.refresh(patienceMs)));
    const living = workers.filter(({ state }) => state !== 'gone');
    const stats = addStats({}, this.#retired);
    for (const { beat } of living) if (beat !== null) addStats(stats, beat.stats);
    // A slot has one worker that serves. A worker that drains beside it would only blur the numbers.
    const serving = living.filter(({ state }) => state !== 'draining');
    const own = serverMetrics({ ...numbers, stats, workers: serving });
    return exposition([own, this.#retained.toJson(), ...living.map(({ metrics }) => [...metrics])]);
  }
}
