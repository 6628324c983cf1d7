import { messageOf } from '../../base/errors.ts';
import { AdminRefusal } from '../../kong-admin/index.ts';
import type { WatchLog } from '../port.ts';

/** The longest wait before another try after a failure, however long the interval. */
export const longestWaitMs = 60_000;
/** A `Retry-After` is kept to up to here. */
const longestAskedMs = 3_600_000;

/**
 * How long to wait after failures, and what to say about them: once when they begin, once when they are over. A try costs a
 * request, so the wait stays the interval: Kong is read within one after it answers again.
 */
export class PollFailures {
  readonly #log: WatchLog;
  readonly #what: string;
  #failures = 0;

  constructor(log: WatchLog, what: string) {
    this.#log = log;
    this.#what = what;
  }

  succeeded(): void {
    if (this.#failures > 0) this.#log.notice(`${this.#what} answers again`, { failures: this.#failures });
    this.#failures = 0;
  }

  /** @returns how long to wait before the next try, and how long Kong has asked to be left alone, in milliseconds */
  failed(error: unknown, intervalMs: number): { waitMs: number; askedMs: number } {
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#log.warn(`${this.#what} cannot be read; nothing is taken as changed until it answers again`, {
        error: messageOf(error),
      });
    }
    const seconds = error instanceof AdminRefusal ? (error.retryAfter ?? 0) : 0;
    const askedMs = Math.min(longestAskedMs, seconds * 1000);
    return { waitMs: Math.max(askedMs, Math.min(intervalMs, longestWaitMs)), askedMs };
  }
}
