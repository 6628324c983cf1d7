import { createHash } from 'node:crypto';
import { canonical } from '../dispatcher/payload.ts';
import type { Known } from './snapshot/types.ts';

export type Entity = Record<string, unknown>;
export type Operation = 'create' | 'update' | 'delete';

/** One difference between two looks. */
export interface Change {
  readonly schema: string;
  readonly id: string;
  readonly operation: Operation;
  /** As it is now; for a deletion as it was. */
  readonly entity: Entity;
  /** As it was before an update. */
  readonly oldEntity: Entity | null;
  readonly digest: string;
  /** Revision of what was known before, 0 where nothing was. */
  readonly revision: number;
}

/** Digest of an entity's content, whatever the order of its keys. */
export function digestOf(entity: Entity): string {
  return createHash('md5').update(canonical(entity)).digest('base64');
}

/** What a whole listing of a kind says against what was known: ids that are new, other or gone. */
export function compare(
  listed: ReadonlyMap<string, Entity>,
  known: ReadonlyMap<string, Known>,
): { id: string; operation: Operation; digest: string; revision: number }[] {
  const found: { id: string; operation: Operation; digest: string; revision: number }[] = [];
  for (const [id, entity] of listed) {
    const digest = digestOf(entity);
    const before = known.get(id);
    if (before === undefined) found.push({ id, operation: 'create', digest, revision: 0 });
    else if (before.digest !== digest)
      found.push({ id, operation: 'update', digest, revision: before.revision });
  }
  for (const [id, before] of known) {
    if (!listed.has(id)) found.push({ id, operation: 'delete', digest: '', revision: before.revision });
  }
  return found;
}

/** The id of a change's event: the same change seen twice (a crash, another node) is the same event and fires once. */
export function changeId(origin: string, source: string, change: Change): string {
  const text = [
    origin,
    source,
    change.schema,
    change.id,
    change.operation,
    change.digest,
    change.revision,
  ].join('\0');
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}

/**
 * Puts changes into an order that could have been their real one: what is referred to is created before what refers to
 * it, what refers goes before what it refers to, and a deleted name is free before it is taken again. Among the rest,
 * by time.
 */
export function inOrder(changes: readonly Change[]): Change[] {
  const byId = new Map<string, Change[]>();
  for (const change of changes) byId.set(change.id, [...(byId.get(change.id) ?? []), change]);
  const after = new Map<Change, Set<Change>>(changes.map((change) => [change, new Set()]));
  const names = new Map<string, Change>();
  for (const change of changes) {
    if (change.operation === 'delete')
      for (const name of uniqueNames(change.schema, change.entity)) names.set(name, change);
  }
  for (const change of changes) {
    const now = change.operation === 'delete' ? null : change.entity;
    const before = change.operation === 'delete' ? change.entity : change.oldEntity;
    for (const id of now === null ? [] : references(now)) {
      for (const other of byId.get(id) ?? []) if (other.operation === 'create') after.get(change)?.add(other);
    }
    for (const id of before === null ? [] : references(before)) {
      for (const other of byId.get(id) ?? []) if (other.operation === 'delete') after.get(other)?.add(change);
    }
    for (const name of now === null ? [] : uniqueNames(change.schema, now)) {
      const freed = names.get(name);
      if (freed !== undefined && freed !== change) after.get(change)?.add(freed);
    }
  }
  return sortByPrecedence(changes, after);
}

function sortByPrecedence(
  changes: readonly Change[],
  after: ReadonlyMap<Change, ReadonlySet<Change>>,
): Change[] {
  const byTime = [...changes].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      time(a) - time(b) ||
      (a.schema < b.schema ? -1 : a.schema > b.schema ? 1 : a.id < b.id ? -1 : 1),
  );
  const done = new Set<Change>();
  const visiting = new Set<Change>();
  const result: Change[] = [];
  // A cycle (two entities that refer to each other) is broken where it is met.
  const visit = (change: Change): void => {
    if (done.has(change) || visiting.has(change)) return;
    visiting.add(change);
    for (const first of after.get(change) ?? []) visit(first);
    visiting.delete(change);
    done.add(change);
    result.push(change);
  };
  for (const change of byTime) visit(change);
  return result;
}

const rank = (change: Change): number => (change.operation === 'delete' ? 1 : 0);

function time(change: Change): number {
  const value = change.entity.updated_at ?? change.entity.created_at;
  return typeof value === 'number' ? value : 0;
}

/** Ids that an entity refers to: Kong shows a foreign key as `{"id": ...}` (measured on Kong 3.9.3). */
function references(entity: Entity): string[] {
  const ids: string[] = [];
  for (const value of Object.values(entity)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    const { id } = value as { id?: unknown };
    if (typeof id === 'string') ids.push(id);
  }
  return ids;
}

function uniqueNames(schema: string, entity: Entity): string[] {
  return ['name', 'username', 'custom_id', 'key', 'instance_name'].flatMap((field) =>
    typeof entity[field] === 'string' ? [`${schema}\0${field}\0${entity[field]}`] : [],
  );
}
