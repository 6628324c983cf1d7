import { messageOf } from '../../errors.ts';
import { AdminRefusal } from '../../kong-admin/client.ts';
import type { HookLog } from '../log.ts';

const longestWaitMs = 60_000;

/** How long to wait after failures, and what to say about them: once when they begin, once when they are over. */
export class Pace {
  readonly #log: HookLog;
  readonly #what: string;
  #failures = 0;

  constructor(log: HookLog, what: string) {
    this.#log = log;
    this.#what = what;
  }

  get failing(): boolean {
    return this.#failures > 0;
  }

  succeeded(): void {
    if (this.#failures > 0) this.#log.notice(`${this.#what} answers again`, { failures: this.#failures });
    this.#failures = 0;
  }

  /** @returns how long to wait before the next try, in milliseconds */
  failed(error: unknown, intervalMs: number): number {
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#log.warn(`${this.#what} cannot be read; nothing is taken as changed until it answers again`, {
        error: messageOf(error),
      });
    }
    const asked = error instanceof AdminRefusal && error.retryAfter !== null ? error.retryAfter * 1000 : 0;
    return Math.min(longestWaitMs, Math.max(asked, intervalMs * 2 ** Math.min(this.#failures - 1, 10)));
  }
}
