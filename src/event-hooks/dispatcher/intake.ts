import { KongTsError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { eventProblem } from '../model/event.ts';
import type { HookEvent } from '../model/event.ts';
import type { Hook } from '../model/hook.ts';
import type { SourceRegistry } from '../sources/registry.ts';
import type { Feed } from './feed.ts';
import type { HookTable } from './matching.ts';
import { RecentIds } from './recent.ts';
import { selectHooks } from './selection.ts';
import type { Selected } from './selection.ts';
import { Suppression } from './suppression.ts';

export interface IntakeOptions {
  table: () => HookTable;
  sources: SourceRegistry;
  outbox: Outbox;
  feed: Feed;
  clock: Clock;
  maxEventBytes: number;
  suppressionSize: number;
  /** Whether there is room for more deliveries. */
  hasRoom: () => boolean;
  observer: {
    fired(hook: Hook): void;
    suppressed(hook: Hook): void;
    unfinish(hookId: string, count: number): void;
  };
}

/** What became of a batch: everything that is not refused is stored or fired nothing. */
export interface Accepted {
  /** Why events cannot be taken, by position in the batch. They will not be taken later either. */
  refused: { index: number; reason: string }[];
}

/** Takes events in: finds the hooks that they fire, and has them stored. */
export class Intake {
  readonly suppression: Suppression;
  readonly #options: IntakeOptions;
  readonly #recent = new RecentIds();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.suppression = new Suppression(options.suppressionSize);
  }

  /**
   * Resolves when every event that fires a hook is stored.
   * @throws KongTsError STORE_FAILED when nothing of the batch was stored; it may be sent again
   */
  async accept(events: readonly HookEvent[]): Promise<Accepted> {
    const { table, sources, outbox, feed, clock, maxEventBytes, hasRoom, observer } = this.#options;
    const refused: Accepted['refused'] = [];
    const selected: Selected[] = [];
    if (!hasRoom()) {
      throw new KongTsError('STORE_FAILED', 'Too many deliveries wait already; no further event is taken.');
    }
    const hooks = table();
    const now = clock.now();
    for (const [index, event] of events.entries()) {
      if (hooks.ofSource(event.source).length === 0 && !feed.watched) continue;
      const problem = eventProblem(event, maxEventBytes);
      if (problem !== null) {
        refused.push({ index, reason: problem });
        continue;
      }
      if (this.#recent.has(event.id)) continue;
      const found = selectHooks(event, hooks, sources, this.suppression, observer, now);
      if (found === 'invalid') refused.push({ index, reason: 'data: expected one JSON object' });
      else {
        if (feed.watched) feed.notify({ ...event, type: 'event', hooks: found?.event.hooks.length ?? 0 });
        if (found !== null) {
          selected.push(found);
          this.#recent.add(event.id);
        }
      }
    }
    if (selected.length === 0) return { refused };
    try {
      await outbox.add(selected.map((one) => one.event));
    } catch (error) {
      for (const { event, keys } of selected) {
        this.#recent.delete(event.id);
        for (const key of keys) this.suppression.forget(key);
        for (const hook of event.hooks) observer.unfinish(hook, 1);
      }
      throw error;
    }
    return { refused };
  }
}
