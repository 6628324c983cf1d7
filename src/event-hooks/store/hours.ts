import { latencyBucket } from './latency.ts';
import type { AttemptResult } from './types.ts';

export const hourMs = 3_600_000;
/** The beginning of the hour that a time is in. */
export const hourOf = (ms: number): number => Math.floor(ms / hourMs) * hourMs;

/** What is counted of an hour besides latencies, whose numbers stand as they are. */
export const counted = { delivered: 1001, failed: 1002, dead: 1003 } as const;

/** One number of one hook's hour, and how much it rises. */
export interface Rise {
  hookId: string;
  hour: number;
  /** One of {@link counted}, or the number of a latency. */
  what: number;
  by: number;
}

/** What results add to the hours of their hooks: one rise for each number, so that a full commit writes few rows. */
export function risesOf(results: readonly AttemptResult[]): Rise[] {
  const rises = new Map<string, Rise>();
  const rise = (hookId: string, hour: number, what: number): void => {
    const key = `${hookId} ${String(hour)} ${String(what)}`;
    const known = rises.get(key);
    if (known === undefined) rises.set(key, { hookId, hour, what, by: 1 });
    else known.by += 1;
  };
  for (const { hookId, finishedAt, state, latencyMs } of results) {
    const hour = hourOf(finishedAt);
    rise(hookId, hour, latencyBucket(latencyMs));
    rise(hookId, hour, state === 'delivered' ? counted.delivered : counted.failed);
    if (state === 'dead') rise(hookId, hour, counted.dead);
  }
  return [...rises.values()];
}
