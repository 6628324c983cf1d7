import type { Clock } from '../../../base/clock.ts';
import type { RecentRows } from '../live/recent-rows.ts';
import { plainRow } from '../live/rows.ts';
import type { ReplayJob } from './job.ts';

/** How many jobs are remembered. Those that are not over are never forgotten, so no more can be begun. */
const most = 20;
/** A job is said to have changed at most so often, in milliseconds. */
const everyMs = 250;

/** The replays of this process, the latest last. */
export class ReplayJobs {
  readonly #jobs = new Map<string, ReplayJob>();
  readonly #live: RecentRows;
  readonly #clock: Clock;
  readonly #untold = new Set<ReplayJob>();
  #timer: unknown = null;

  constructor(live: RecentRows, clock: Clock) {
    this.#live = live;
    this.#clock = clock;
  }

  /** Tells watchers of a job, soon. */
  readonly changed = (job: ReplayJob): void => {
    this.#untold.add(job);
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = null;
      for (const one of this.#untold) this.#live.add(plainRow('replay', one.showLive()));
      this.#untold.clear();
    }, everyMs);
  };

  /** @returns false when too many are not over */
  add(job: ReplayJob): boolean {
    for (const [id, { isOver }] of this.#jobs) {
      if (this.#jobs.size < most) break;
      if (!isOver) continue;
      this.#jobs.get(id)?.close();
      this.#jobs.delete(id);
    }
    if (this.#jobs.size >= most) return false;
    this.#jobs.set(job.id, job);
    return true;
  }
  get(id: string): ReplayJob | undefined {
    return this.#jobs.get(id);
  }
  list(): ReplayJob[] {
    return [...this.#jobs.values()];
  }
  close(): void {
    this.#clock.clearTimeout(this.#timer);
    for (const job of this.#jobs.values()) job.close();
  }
}
