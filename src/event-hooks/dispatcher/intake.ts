import { KongTsError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { eventProblem } from '../model/event.ts';
import type { HookEvent } from '../model/event.ts';
import type { Hook } from '../model/hook.ts';
import type { NewEvent } from '../store/types.ts';
import type { SourceRegistry } from '../sources/registry.ts';
import type { Feed } from './feed.ts';
import type { HookTable } from './matching.ts';
import { RecentIds } from './recent.ts';
import { selectHooks } from './selection.ts';

export interface IntakeOptions {
  /** The hooks that are in force now. */
  table: () => Promise<HookTable>;
  sources: SourceRegistry;
  outbox: Outbox;
  feed: Feed;
  clock: Clock;
  maxEventBytes: number;
  /** Whether there is room for more deliveries. */
  hasRoom: () => boolean;
  observer: { suppressed(hook: Hook): void };
}

/** What became of a batch: everything that is not refused is stored or fired nothing. */
export interface Accepted {
  /** Why events cannot be taken, by position in the batch. They will not be taken later either. */
  refused: { index: number; reason: string }[];
}

/** Takes events in: finds the hooks that they fire, and has them stored. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #recent = new RecentIds();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every event that fires a hook is stored.
   * @throws KongTsError STORE_FAILED when nothing of the batch was stored; it may be sent again
   */
  async accept(events: readonly HookEvent[]): Promise<Accepted> {
    const { table, sources, feed, clock, maxEventBytes, hasRoom } = this.#options;
    const refused: Accepted['refused'] = [];
    const selected: NewEvent[] = [];
    if (!hasRoom()) {
      throw new KongTsError('STORE_FAILED', 'Too many deliveries wait already; no further event is taken.');
    }
    const hooks = await table();
    const now = clock.now();
    const quiet: HookEvent[] = [];
    for (const [index, event] of events.entries()) {
      if (hooks.ofSource(event.source).length === 0 && !feed.watched) continue;
      const problem = eventProblem(event, maxEventBytes);
      if (problem !== null) {
        refused.push({ index, reason: problem });
        continue;
      }
      if (this.#recent.has(event.id)) continue;
      const found = selectHooks(event, hooks, sources, now);
      if (found === 'invalid') refused.push({ index, reason: 'data: expected one JSON object' });
      else if (found === null) quiet.push(event);
      else {
        selected.push(found);
        this.#recent.add(event.id);
      }
    }
    if (selected.length > 0) await this.#store(selected, hooks);
    if (feed.watched) this.#tell(events, selected, quiet);
    return { refused };
  }

  async #store(selected: NewEvent[], hooks: HookTable): Promise<void> {
    const { outbox, observer } = this.#options;
    try {
      await outbox.add(selected, (held) => {
        const hook = hooks.get(held);
        if (hook !== undefined) observer.suppressed(hook);
      });
    } catch (error) {
      for (const { id } of selected) this.#recent.delete(id);
      throw error;
    }
  }

  #tell(events: readonly HookEvent[], selected: readonly NewEvent[], quiet: readonly HookEvent[]): void {
    const fired = new Map(selected.map(({ id, hooks }) => [id, hooks.length]));
    for (const event of quiet) fired.set(event.id, 0);
    for (const event of events) {
      const hooks = fired.get(event.id);
      if (hooks !== undefined) this.#options.feed.notify({ ...event, type: 'event', hooks });
    }
  }
}
