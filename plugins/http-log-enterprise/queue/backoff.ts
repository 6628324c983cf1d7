import type { QueueSettings } from '../config/settings.ts';

/** The longest that a Retry-After is followed, in milliseconds. */
export const longestRetryAfterMs = 3_600_000;

/**
 * How long to wait before the next attempt: `initial_retry_delay` doubled with every retry up to `max_retry_delay`,
 * as Kong's queue does, and not before the destination's Retry-After (up to an hour).
 */
export function retryDelay(
  settings: Pick<QueueSettings, 'initialRetryDelayMs' | 'maxRetryDelayMs'>,
  retries: number,
  retryAfterMs: number | null,
): number {
  const own = Math.min(settings.maxRetryDelayMs, settings.initialRetryDelayMs * 2 ** Math.min(retries, 60));
  return retryAfterMs === null ? own : Math.max(own, Math.min(retryAfterMs, longestRetryAfterMs));
}
