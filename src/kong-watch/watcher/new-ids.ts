import type { Change } from './changes.ts';
import { nameInDigest, sameContent } from './digest.ts';

/**
 * A DB-less node gives a new id to each entity that has none in its configuration whenever it is given one
 * (credentials, Kong 3.9.3). Where an entity that seems to be gone and one that seems to be new have the same name,
 * they are one entity. It has changed if its content has.
 * @param gone digests of the deleted ones, by id
 */
export function withoutNewIds(changes: readonly Change[], gone: ReadonlyMap<string, string>): Change[] {
  if (gone.size === 0) return [...changes];
  const byName = new Map<string, string[]>();
  for (const [id, digest] of gone) {
    const name = nameInDigest(digest);
    const ids = byName.get(name);
    if (ids === undefined) byName.set(name, [id]);
    else ids.push(id);
  }
  const deletions = new Map(
    changes.flatMap((change) => (change.operation === 'delete' ? [[change.id, change] as const] : [])),
  );
  const matched = new Set<string>();
  const kept = changes.map((change) => {
    if (change.operation !== 'create') return change;
    const digest = change.compares ?? change.digest;
    const ids = byName.get(nameInDigest(digest)) ?? [];
    const same = ids.findIndex((id) => sameContent(gone.get(id), digest));
    const [id] = ids.splice(Math.max(same, 0), 1);
    const before = id === undefined ? undefined : deletions.get(id);
    if (id === undefined || before === undefined) return change;
    matched.add(id);
    return {
      ...change,
      operation: 'update' as const,
      replaces: id,
      silent: sameContent(gone.get(id), digest),
      referred: before.referred,
      frees: before.frees.filter((name) => !change.takes.includes(name)),
    };
  });
  return kept.filter((change) => change.operation !== 'delete' || !matched.has(change.id));
}
