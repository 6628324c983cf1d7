import type { HookLog } from '../log.ts';
import type { Hook } from '../model/hook.ts';
import type { AttemptResult } from '../store/types.ts';

/**
 * Says in the log when a hook begins to fail and when it works again; not each attempt, of which there may be thousands in a
 * second.
 */
export class FailingHooks {
  readonly #log: HookLog;
  /** When each began to fail, in milliseconds since 1970. */
  readonly #since = new Map<string, number>();

  constructor(log: HookLog) {
    this.#log = log;
  }

  attempted(hook: Hook, { state, error, status, attempts, finishedAt, due }: AttemptResult): void {
    const { id, source, event, handler } = hook;
    const since = this.#since.get(id);
    const about = { hook: id, source, event, handler };
    if (state === 'delivered') {
      if (since === undefined) return;
      this.#since.delete(id);
      this.#log.notice('an event hook works again', {
        ...about,
        afterMs: Math.round(finishedAt - since),
      });
      return;
    }
    if (state === 'dead') this.#log.warn('a delivery was given up', { ...about, attempts, error });
    if (since !== undefined) return;
    this.#since.set(id, finishedAt);
    if (state === 'dead') return;
    const again = { nextTryInMs: Math.max(0, Math.round(due - finishedAt)) };
    this.#log.warn('an event hook fails', {
      ...about,
      ...(status === null ? {} : { status }),
      error,
      ...again,
    });
  }

  /** These hooks are all there are. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#since.keys()) if (!ids.has(id)) this.#since.delete(id);
  }
}
