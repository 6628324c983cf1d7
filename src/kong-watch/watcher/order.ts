import type { Change } from './changes.ts';

/**
 * Puts changes into an order that could have been their real one: what is referred to is created before what refers to
 * it, what refers goes before what it refers to, and a name is free before it is taken again. Among the rest, by time.
 */
export function inOrder(changes: readonly Change[]): Change[] {
  const created = new Map<string, Change>();
  const deleted = new Map<string, Change>();
  const freed = new Map<string, Change>();
  for (const change of changes) {
    if (change.operation === 'create') created.set(change.id, change);
    if (change.operation === 'delete') deleted.set(change.id, change);
    for (const name of change.frees) freed.set(name, change);
  }
  const before = new Map<Change, Change[]>();
  const add = (later: Change, earlier: Change | undefined): void => {
    if (earlier === undefined || earlier === later) return;
    const known = before.get(later);
    if (known === undefined) before.set(later, [earlier]);
    else known.push(earlier);
  };
  for (const change of changes) {
    for (const id of change.refers) add(change, created.get(id));
    for (const id of change.referred) {
      const gone = deleted.get(id);
      if (gone !== undefined) add(gone, change);
    }
    for (const name of change.takes) add(change, freed.get(name));
  }
  return sortByPrecedence([...changes].sort(byTime), before);
}

/** Depth first and without recursion: a chain of renamed entities may be as long as it likes. */
function sortByPrecedence(
  changes: readonly Change[],
  before: ReadonlyMap<Change, readonly Change[]>,
): Change[] {
  const result: Change[] = [];
  const met = new Set<Change>();
  for (const root of changes) {
    if (met.has(root)) continue;
    met.add(root);
    const stack = [{ change: root, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const earlier = before.get(top.change)?.[top.next];
      if (earlier === undefined) {
        result.push(top.change);
        stack.pop();
        continue;
      }
      top.next += 1;
      // Met already: it is done, or this is a cycle (two that have swapped names), which is broken here.
      if (met.has(earlier)) continue;
      met.add(earlier);
      stack.push({ change: earlier, next: 0 });
    }
  }
  return result;
}

/** What changed in the same second stays in the order of the lists: parents first. */
function byTime(a: Change, b: Change): number {
  return rank(a) - rank(b) || a.at - b.at;
}

const rank = (change: Change): number => (change.operation === 'delete' ? 1 : 0);
