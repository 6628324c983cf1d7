import { phases } from '../../pdk/names/index.ts';
import type { PhaseStats, PluginStats } from './phase-stats.ts';
import { createPluginStats } from './phase-stats.ts';

export type StatsByPlugin = Readonly<Record<string, PluginStats>>;

/** Adds the counters of `from` to those of `into`, which it returns. */
export function addStats(
  into: Record<string, PluginStats>,
  from: StatsByPlugin,
): Record<string, PluginStats> {
  for (const [plugin, stats] of Object.entries(from)) {
    const sum = (into[plugin] ??= createPluginStats());
    for (const phase of phases) addPhase(sum[phase], stats[phase]);
  }
  return into;
}

function addPhase(into: PhaseStats, from: PhaseStats): void {
  into.events += from.events;
  into.errors += from.errors;
  into.timeouts += from.timeouts;
  into.exits += from.exits;
  into.calls += from.calls;
  into.sends += from.sends;
  into.prefetched += from.prefetched;
  into.prefetchUsed += from.prefetchUsed;
  into.merged += from.merged;
  into.secondsSum += from.secondsSum;
  for (let index = 0; index < into.buckets.length; index++) {
    into.buckets[index] = (into.buckets[index] ?? 0) + (from.buckets[index] ?? 0);
  }
}
