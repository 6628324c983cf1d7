import { messageOf } from '../../errors.ts';
import { AdminRefusal } from '../../kong-admin/client.ts';
import type { HookLog } from '../log.ts';

const longestWaitMs = 60_000;
/** A `Retry-After` is kept to up to here. */
const longestAskedMs = 3_600_000;

/** How long to wait after failures, and what to say about them: once when they begin, once when they are over. */
export class Pace {
  readonly #log: HookLog;
  readonly #what: string;
  #failures = 0;

  constructor(log: HookLog, what: string) {
    this.#log = log;
    this.#what = what;
  }

  succeeded(): void {
    if (this.#failures > 0) this.#log.notice(`${this.#what} answers again`, { failures: this.#failures });
    this.#failures = 0;
  }

  /** @returns how long to wait before the next try, and how long Kong has asked to be left alone, in milliseconds */
  failed(error: unknown, intervalMs: number): { wait: number; asked: number } {
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#log.warn(`${this.#what} cannot be read; nothing is taken as changed until it answers again`, {
        error: messageOf(error),
      });
    }
    const seconds = error instanceof AdminRefusal ? (error.retryAfter ?? 0) : 0;
    const asked = Math.min(longestAskedMs, seconds * 1000);
    // One that says nothing is asked for its status first, which costs nothing: so it is read again one interval after
    // it answers. One that refuses is left alone for longer and longer.
    const doublings = error instanceof AdminRefusal ? Math.min(this.#failures - 1, 10) : 0;
    const backoff = Math.min(longestWaitMs, intervalMs * 2 ** doublings);
    return { wait: Math.max(asked, backoff, Math.min(intervalMs, longestWaitMs)), asked };
  }
}
