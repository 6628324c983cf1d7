import type { Phase } from '../../pdk/names/index.ts';
import { phases } from '../../pdk/names/index.ts';

/** Upper bounds of the latency histogram, in seconds. */
export const latencyBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/**
 * What is counted for one plugin and phase: plain numbers that the event path increments, so that counting
 * allocates nothing.
 */
export interface PhaseStats {
  events: number;
  /** Events whose handler threw or rejected. */
  errors: number;
  timeouts: number;
  /** Events that the plugin ended with kong.response.exit or error. */
  exits: number;
  /** PDK calls that waited for an answer. */
  calls: number;
  /** PDK calls that did not (setters, logs). */
  sends: number;
  /** PDK calls that were made before the plugin asked. */
  prefetched: number;
  /** Those of them that the plugin asked for afterwards. */
  prefetchUsed: number;
  /** PDK calls that had no frame of their own: another call's frame has answered or made them. */
  merged: number;
  secondsSum: number;
  /** Events per latency bucket (not cumulative); the last one holds what is above every bound. */
  readonly buckets: Float64Array;
}

export function createPhaseStats(): PhaseStats {
  return {
    events: 0,
    errors: 0,
    timeouts: 0,
    exits: 0,
    calls: 0,
    sends: 0,
    prefetched: 0,
    prefetchUsed: 0,
    merged: 0,
    secondsSum: 0,
    buckets: new Float64Array(latencyBuckets.length + 1),
  };
}

/** Counts one finished event that took `seconds`. */
export function observe(stats: PhaseStats, seconds: number): void {
  stats.events++;
  stats.secondsSum += seconds;
  let index = 0;
  while (index < latencyBuckets.length && seconds > (latencyBuckets[index] ?? Infinity)) index++;
  stats.buckets[index] = (stats.buckets[index] ?? 0) + 1;
}

/** The counters of one plugin, one set per phase. */
export type PluginStats = Readonly<Record<Phase, PhaseStats>>;

export function createPluginStats(): PluginStats {
  return Object.fromEntries(phases.map((phase) => [phase, createPhaseStats()])) as Record<Phase, PhaseStats>;
}

/** How many events those are, by plugin, together. */
export function eventsOf(stats: Readonly<Record<string, PluginStats>>): number {
  let sum = 0;
  for (const phases of Object.values(stats)) for (const { events } of Object.values(phases)) sum += events;
  return sum;
}
