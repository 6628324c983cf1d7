import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { eventProblem, shapeProblem } from '../model/event.ts';
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

/** The result for a batch. Every event that is not refused was stored, or fired no hook. */
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
    const { table, feed, clock, maxEventBytes, hasRoom } = this.#options;
    const refused: Accepted['refused'] = [];
    const selected = new Map<NewEvent, number>();
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
      const found = this.#select(event, hooks, now);
      if (found === 'invalid') refused.push({ index, reason: `data: ${shapeProblem}` });
      else if (found instanceof Error) refused.push({ index, reason: `data: ${messageOf(found)}` });
      else if (found === null) quiet.push(event);
      else {
        selected.set(found, index);
        this.#recent.add(event.id);
      }
    }
    if (selected.size > 0) refused.push(...(await this.#store(selected, hooks)));
    if (feed.watched) this.#tell(events, [...selected.keys()], quiet);
    return { refused };
  }

  /** An error in one event fails that event only. */
  #select(event: HookEvent, hooks: HookTable, now: number): ReturnType<typeof selectHooks> | Error {
    try {
      return selectHooks(event, hooks, this.#options.sources, now);
    } catch (error) {
      return error instanceof Error ? error : new Error(messageOf(error));
    }
  }

  /** @returns the events that the store can never take. They are taken out of `selected` */
  async #store(selected: Map<NewEvent, number>, hooks: HookTable): Promise<Accepted['refused']> {
    const { outbox, observer } = this.#options;
    const refused: Accepted['refused'] = [];
    const events = [...selected.keys()];
    try {
      await outbox.add(events, {
        heldBack: (held) => {
          const hook = hooks.get(held);
          if (hook !== undefined) observer.suppressed(hook);
        },
        refused: (event, reason) => {
          refused.push({ index: selected.get(event) ?? -1, reason });
          selected.delete(event);
          this.#recent.delete(event.id);
        },
      });
      return refused;
    } catch (error) {
      for (const { id } of events) this.#recent.delete(id);
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
