/**
 * Latencies by numbers: four to each doubling, from a quarter of a millisecond to about a minute. A percentile that is
 * read from them is off by less than a tenth.
 */
const perDoubling = 4;
/** The number of everything below a quarter of a millisecond. */
const first = -2 * perDoubling;
const last = 16 * perDoubling;

/** The number of a latency. @param ms milliseconds */
export function latencyBucket(ms: number): number {
  const number = Math.floor(Math.log2(Math.max(ms, 0.25)) * perDoubling);
  return Math.min(last, Math.max(first, number));
}

/** Whether a stored number is one that {@link latencyBucket} gives. */
export const isLatencyBucket = (number: number): boolean => number >= first && number <= last;

/**
 * A percentile of counted latencies, in milliseconds; null where there are none.
 * @param counts how many latencies have each number
 * @param part from 0 to 1
 */
export function percentile(counts: ReadonlyMap<number, number>, part: number): number | null {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const all = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0) return null;
  let left = Math.max(1, Math.ceil(all * part));
  for (const [number, count] of sorted) {
    left -= count;
    if (left <= 0) return Math.round(2 ** ((number + 0.5) / perDoubling) * 100) / 100;
  }
  return null;
}
