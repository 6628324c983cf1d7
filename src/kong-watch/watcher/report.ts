import type { Change } from './changes.ts';
import type { CommonOptions } from './options.ts';
import { eventsOf } from './events.ts';
import { inOrder } from './order.ts';
import type { Remembered } from './snapshot/types.ts';

const atOnce = 500;

/** Makes events of changes and remembers them, in portions, so that no stored event is emitted again. */
export class Report {
  readonly #options: CommonOptions;
  readonly #over: () => boolean;

  /** @param over whether nothing may be reported any more */
  constructor(options: CommonOptions, over: () => boolean) {
    this.#options = options;
    this.#over = over;
  }

  /** Whether nothing may be reported any more. */
  get over(): boolean {
    return this.#over();
  }

  /**
   * @returns whether everything was reported; not when another process has taken over meanwhile
   * @throws KongTsError when events cannot be stored; what was stored before is remembered
   */
  async send(changes: readonly Change[]): Promise<boolean> {
    if (changes.length === 0) return true;
    const { snapshots, metrics } = this.#options;
    const ordered = inOrder(changes);
    for (let at = 0; at < ordered.length; at += atOnce) {
      if (this.#over()) return false;
      const portion = ordered.slice(at, at + atOnce);
      await this.#emit(portion, await snapshots.generation('crud'));
      // Only now: a crash before this makes the same events again, with the same ids, and they fire once.
      for (const [schema, list] of bySchema(portion)) await snapshots.remember(schema, list);
      for (const { schema, operation, silent } of portion)
        if (silent !== true) metrics?.changed(schema, operation);
      await snapshots.nextGeneration('crud');
    }
    return true;
  }

  async #emit(portion: readonly Change[], generation: number): Promise<void> {
    const { admin, emit, wants, clock, snapshots } = this.#options;
    const options = { origin: admin.url, now: clock.now(), generation };
    const events = [];
    for (const change of portion) {
      if (change.silent === true) continue;
      const known = change.replaces ?? change.id;
      const before = change.operation === 'update' ? await snapshots.text(change.schema, known) : null;
      events.push(...eventsOf(change, before, wants, options));
    }
    if (events.length > 0) await emit(events);
  }
}

function bySchema(changes: readonly Change[]): Map<string, Remembered[]> {
  const lists = new Map<string, Remembered[]>();
  for (const { schema, id, operation, digest, text, replaces } of changes) {
    const list = lists.get(schema) ?? [];
    lists.set(schema, list);
    if (replaces !== undefined) list.push({ id: replaces, operation: 'delete' });
    list.push(operation === 'delete' ? { id, operation } : { id, operation, digest, text });
  }
  return lists;
}
