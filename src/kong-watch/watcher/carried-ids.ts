import type { Kind } from './kinds.ts';

type Ids = ReadonlyMap<string, string>;

/**
 * For each kind, the old ids of the entities that it refers to, by their present ids. If a kind could not be read in
 * the poll in which ids changed, it is later compared by the old ones.
 */
export class CarriedIds {
  readonly #byKind = new Map<string, Ids>();

  /** What a poll of a kind goes by. @param found what this poll has found, at other kinds */
  of(schema: string, found: Ids): Ids {
    const carried = this.#byKind.get(schema);
    return carried === undefined ? found : followed(carried, found);
  }

  /** Keeps what a poll has found for every kind that refers to others, until it was polled and reported. */
  keep(kinds: readonly Kind[], found: Ids): void {
    if (found.size === 0) return;
    for (const { schema, parents } of kinds)
      if (parents.length > 0) this.#byKind.set(schema, this.of(schema, found));
  }

  /** Forgets a kind, when what is known of it has today's ids. */
  forget(schema: string): void {
    this.#byKind.delete(schema);
  }

  clear(): void {
    this.#byKind.clear();
  }
}

/** If ids have changed once more, they lead to the first ones. Nobody uses those in between any more. */
function followed(carried: Ids, found: Ids): Ids {
  const replaced = new Set(found.values());
  const ids = new Map<string, string>();
  for (const [now, before] of carried) if (!replaced.has(now) && !replaced.has(before)) ids.set(now, before);
  for (const [now, before] of found) ids.set(now, carried.get(before) ?? before);
  return ids;
}
