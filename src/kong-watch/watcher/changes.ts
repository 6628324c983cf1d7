import { createHash } from 'node:crypto';

export type Entity = Record<string, unknown>;
export type Operation = 'create' | 'update' | 'delete';

/** One difference between two polls. Entities are kept as text: many of them may change at once. */
export interface Change {
  readonly schema: string;
  readonly id: string;
  readonly operation: Operation;
  /** The JSON text of the entity as it may be shown: as it is now; for a deletion as it was. */
  readonly text: string;
  /** Digest of the content as it is now, empty for a deletion. */
  readonly digest: string;
  /** Ids that it refers to: as it is now, and as it was. */
  readonly refers: readonly string[];
  readonly referred: readonly string[];
  /** Unique names that it has now and that it has given up. */
  readonly takes: readonly string[];
  readonly frees: readonly string[];
  /** The digest with the ids by which what it refers to was known so far, where those have changed. */
  readonly compares?: string;
  /** The id under which it is known so far, where a DB-less node has given it another one. */
  readonly replaces?: string;
  /** Users would not call this a change. It is remembered, but makes no event. */
  readonly silent?: boolean;
  /** When it was changed, in epoch seconds, as far as Kong says it. */
  readonly at: number;
}

/**
 * Makes a change. `now` is null for a deletion, `before` for a creation.
 * @param text what is shown of the entity
 */
export function changeOf(
  schema: string,
  id: string,
  digest: string,
  text: string,
  now: Entity | null,
  before: Entity | null,
): Change {
  const entity = now ?? before ?? {};
  const takes = now === null ? [] : uniqueNames(schema, now);
  const at = entity.updated_at ?? entity.created_at;
  return {
    schema,
    id,
    operation: now === null ? 'delete' : before === null ? 'create' : 'update',
    text,
    digest,
    refers: now === null ? [] : references(now),
    referred: before === null ? [] : references(before),
    takes,
    frees: before === null ? [] : uniqueNames(schema, before).filter((name) => !takes.includes(name)),
    at: typeof at === 'number' ? at : 0,
  };
}

/**
 * The id of a change's event: the same change seen twice (a crash, another node) is the same event and fires once.
 * @param generation see {@link SnapshotStore.generation}
 */
export function changeId(
  origin: string,
  source: string,
  change: Pick<Change, 'schema' | 'id' | 'operation' | 'digest'>,
  generation: number,
): string {
  const { schema, id, operation, digest } = change;
  const text = [origin, source, schema, id, operation, digest, generation].join('\0');
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}

/** Ids that an entity refers to: Kong shows a foreign key as `{"id": ...}` (measured on Kong 3.9.3). */
export function references(entity: Entity): string[] {
  const ids: string[] = [];
  for (const value of Object.values(entity)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    const { id } = value as { id?: unknown };
    if (typeof id === 'string') ids.push(id);
  }
  return ids;
}

/**
 * The entity with the references that it would have if the others had kept their ids.
 * @param ids old ids by present
 * ones
 */
export function referringBy(ids: ReadonlyMap<string, string>, entity: Entity): Entity {
  let copy: Entity | null = null;
  for (const [field, value] of Object.entries(entity)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    const { id } = value as { id?: unknown };
    const before = typeof id === 'string' ? ids.get(id) : undefined;
    if (before !== undefined) (copy ??= { ...entity })[field] = { ...value, id: before };
  }
  return copy ?? entity;
}

function uniqueNames(schema: string, entity: Entity): string[] {
  return ['name', 'username', 'custom_id', 'key', 'instance_name'].flatMap((field) =>
    typeof entity[field] === 'string' ? [`${schema}\0${field}\0${entity[field]}`] : [],
  );
}
