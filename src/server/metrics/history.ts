import { phases } from '../../pdk/names/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import { steadyClock } from '../../base/clock.ts';
import type { SteadyClock } from '../../base/clock.ts';
import { addStats } from './aggregate.ts';
import type { StatsByPlugin } from './aggregate.ts';
import type { PhaseStats } from './phase-stats.ts';
import { latencyBuckets } from './phase-stats.ts';

/** One look every so many milliseconds, and as many looks as an hour has. */
export const historyEveryMs = 15_000;
const kept = 240;

/** What one phase of one plugin did between two looks. */
export interface HistoryPoint {
  /** The end of the time, in milliseconds since the epoch. */
  readonly at: number;
  readonly events: number;
  readonly errors: number;
  readonly timeouts: number;
  /** PDK calls, with an answer or without. */
  readonly calls: number;
  /** Seconds; null: nothing ended. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** The last hour of one phase of one plugin. Times without an event have no point. */
export interface PhaseHistory {
  readonly plugin: string;
  readonly phase: Phase;
  readonly points: readonly HistoryPoint[];
}

/** Looks at the counters of a server again and again, and keeps what has changed in the last hour. */
export class StatsHistory {
  readonly #read: () => StatsByPlugin;
  readonly #points = new Map<string, { plugin: string; phase: Phase; points: HistoryPoint[] }>();
  #before: StatsByPlugin = {};
  #end: () => void = () => undefined;

  /** @param read what was counted up to now, from 0; asked for at each look and not before */
  constructor(read: () => StatsByPlugin) {
    this.#read = read;
  }

  start(clock: SteadyClock = steadyClock): void {
    this.#end = clock.every(historyEveryMs, () => {
      this.look(Date.now());
    });
  }
  stop(): void {
    this.#end();
  }

  /** @param now milliseconds since the epoch */
  look(now: number): void {
    const stats = addStats({}, this.#read());
    for (const [plugin, byPhase] of Object.entries(stats)) {
      for (const phase of phases) {
        const point = pointOf(now, byPhase[phase], this.#before[plugin]?.[phase]);
        if (point === null) continue;
        const key = `${plugin}\n${phase}`;
        const known = this.#points.get(key) ?? { plugin, phase, points: [] };
        known.points.push(point);
        this.#points.set(key, known);
      }
    }
    this.#before = stats;
    const oldest = now - kept * historyEveryMs;
    for (const [key, one] of this.#points) {
      one.points = one.points.filter(({ at }) => at > oldest);
      if (one.points.length === 0) this.#points.delete(key);
    }
  }

  show(): PhaseHistory[] {
    return [...this.#points.values()].map(({ points, ...rest }) => ({ ...rest, points: [...points] }));
  }
}

/** What came to the counters; null: nothing. A worker that was killed takes back what nobody had heard of yet. */
function pointOf(at: number, now: PhaseStats, before: PhaseStats | undefined): HistoryPoint | null {
  const rise = (read: (stats: PhaseStats) => number): number =>
    Math.max(0, read(now) - (before === undefined ? 0 : read(before)));
  const events = rise((stats) => stats.events);
  const errors = rise((stats) => stats.errors);
  if (events === 0 && errors === 0) return null;
  const counts = Array.from(now.buckets, (count, index) =>
    Math.max(0, count - (before?.buckets[index] ?? 0)),
  );
  return {
    at,
    events,
    errors,
    timeouts: rise((stats) => stats.timeouts),
    calls: rise((stats) => stats.calls + stats.sends),
    p50: percentile(counts, 0.5),
    p95: percentile(counts, 0.95),
    p99: percentile(counts, 0.99),
  };
}

/** Within its bucket, a percentile is taken to lie where it would if the bucket were evenly filled. Seconds. */
function percentile(counts: readonly number[], part: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let left = all * part;
  for (const [index, count] of counts.entries()) {
    const lower = index === 0 ? 0 : (latencyBuckets[index - 1] ?? 0);
    const upper = latencyBuckets[index];
    // Above every bound nothing is known but that.
    if (upper === undefined) return lower;
    if (left <= count && count > 0) return lower + (upper - lower) * (left / count);
    left -= count;
  }
  return latencyBuckets.at(-1) ?? null;
}
