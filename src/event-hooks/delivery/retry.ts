/** Seconds between attempts: the first retry after 5 seconds, the tenth and last attempt about three days later. */
export const defaultSchedule: readonly number[] = [
  5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
];

/** The longest time that a target's Retry-After is honoured for, in milliseconds. */
const maxRetryAfterMs = 86_400_000;

/**
 * How long to wait after an attempt, in milliseconds; null when it was the last one.
 * @param attempts attempts made so far, this one included
 * @param schedule seconds
 * @param random from 0 to below 1: the wait varies by 10 % either way, so that failures do not come back in step
 * @param retryAfterMs what the target asked for; a longer wait than the schedule's is honoured
 */
export function retryDelay(
  attempts: number,
  schedule: readonly number[],
  random: number,
  retryAfterMs: number | undefined,
): number | null {
  const seconds = schedule[attempts - 1];
  if (seconds === undefined) return null;
  const planned = Math.round(seconds * 1000 * (0.9 + 0.2 * random));
  return Math.max(planned, Math.min(retryAfterMs ?? 0, maxRetryAfterMs));
}
