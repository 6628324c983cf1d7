import type { PlainObject } from '../schema/index.ts';
import { formatAddress, parseAddress } from './hosts.ts';
import type { EntityKind } from './registry.ts';

/** A stored entity. It is never changed in place: a change puts another object in its stead. */
export interface Entity extends PlainObject {
  readonly id: string;
}

/** The id that a foreign field holds. */
export function foreignId(entity: PlainObject, field: string): string | undefined {
  const value = entity[field];
  const id = typeof value === 'object' && value !== null ? (value as PlainObject)['id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

export function workspaceOf(entity: PlainObject): string {
  return typeof entity['ws_id'] === 'string' ? entity['ws_id'] : '';
}

/** A checked entity as it is stored: all its fields and its workspace, but no companions. */
export function storedForm(kind: EntityKind, filled: PlainObject, workspace: string): Entity {
  const read = kind.schema.autoFields(filled, 'select').value ?? filled;
  for (const [name, field] of kind.schema.fields) if (field.schema.transient === true) delete read[name];
  for (const { field } of kind.foreign) {
    const id = foreignId(read, field);
    if (id !== undefined) read[field] = { id: id.toLowerCase() };
  }
  if (kind.name === 'targets') read['target'] = normalizedTarget(read['target']);
  if (kind.definition.global !== true) read['ws_id'] = workspace;
  return { ...read, id: String(read['id']).toLowerCase() };
}

const defaultTargetPort = 8000;

/** A target with its port, an IPv6 address in full. */
function normalizedTarget(target: unknown): unknown {
  const address = typeof target === 'string' ? parseAddress(target) : 'invalid';
  return typeof address === 'string' ? target : formatAddress(address, defaultTargetPort);
}

/** All entities of one kind, found by id, by unique field, by parent and in the order of their ids. */
export class Table {
  readonly kind: EntityKind;
  /** Goes up with each change. */
  version = 0;
  readonly #rows = new Map<string, Entity>();
  /** Ids in their order, without those in `added`; may still hold some that are gone. */
  #ids: string[] = [];
  #added: string[] = [];
  #gone = false;
  readonly #unique = new Map<string, string>();
  readonly #children = new Map<string, Set<string>>();

  constructor(kind: EntityKind) {
    this.kind = kind;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** In the order in which they came. */
  values(): IterableIterator<Entity> {
    return this.#rows.values();
  }

  get(id: string): Entity | undefined {
    return this.#rows.get(id.toLowerCase());
  }

  byUnique(field: string, workspace: string, value: unknown): Entity | undefined {
    const everywhere = this.kind.unique.find((unique) => unique.field === field)?.everywhere === true;
    const id = this.#unique.get(uniqueKey(field, everywhere ? '' : workspace, value));
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** The entity that has the same values in the fields that are unique together. */
  byCacheKey(entity: PlainObject): Entity | undefined {
    const key = this.#cacheKey(entity);
    const id = key === undefined ? undefined : this.#unique.get(key);
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** Ids of those whose foreign field holds the id, in their order. */
  idsByParent(field: string, parent: string): string[] {
    return [...(this.#children.get(`${field}:${parent}`) ?? [])].sort();
  }

  /** All ids in their order; starting after one of them. */
  idsAfter(id: string | undefined): { readonly ids: readonly string[]; readonly start: number } {
    const ids = this.#sortedIds();
    return { ids, start: id === undefined ? 0 : position(ids, id) };
  }

  put(entity: Entity): void {
    const before = this.#rows.get(entity.id);
    if (before === undefined) this.#added.push(entity.id);
    else this.#unindex(before);
    this.#rows.set(entity.id, entity);
    this.#index(entity);
    this.version++;
  }

  remove(id: string): void {
    const entity = this.#rows.get(id);
    if (entity === undefined) return;
    this.#unindex(entity);
    this.#rows.delete(id);
    this.#gone = true;
    this.version++;
  }

  /** Brings what was added and removed since the last time into the order, in one go. */
  #sortedIds(): readonly string[] {
    if (this.#added.length > 0 || this.#gone) {
      const ids = this.#ids;
      const added = this.#added.sort();
      const merged: string[] = [];
      for (let a = 0, b = 0; a < ids.length || b < added.length;) {
        const left = ids[a];
        const right = added[b];
        const takeLeft = left !== undefined && (right === undefined || left <= right);
        const id = (takeLeft ? left : right) ?? '';
        if (takeLeft) a++;
        else b++;
        if (this.#rows.has(id) && merged.at(-1) !== id) merged.push(id);
      }
      this.#ids = merged;
      this.#added = [];
      this.#gone = false;
    }
    return this.#ids;
  }

  #index(entity: Entity): void {
    for (const key of this.#uniqueKeys(entity)) this.#unique.set(key, entity.id);
    for (const key of this.#parentKeys(entity)) {
      let set = this.#children.get(key);
      if (set === undefined) this.#children.set(key, (set = new Set()));
      set.add(entity.id);
    }
  }

  #unindex(entity: Entity): void {
    for (const key of this.#uniqueKeys(entity)) this.#unique.delete(key);
    for (const key of this.#parentKeys(entity)) {
      const set = this.#children.get(key);
      set?.delete(entity.id);
      if (set?.size === 0) this.#children.delete(key);
    }
  }

  #uniqueKeys(entity: Entity): string[] {
    const keys: string[] = [];
    for (const { field, everywhere } of this.kind.unique) {
      const value = entity[field];
      if (value === null || value === undefined) continue;
      keys.push(uniqueKey(field, everywhere ? '' : workspaceOf(entity), value));
    }
    const cacheKey = this.#cacheKey(entity);
    if (cacheKey !== undefined) keys.push(cacheKey);
    return keys;
  }

  #parentKeys(entity: Entity): string[] {
    return this.kind.foreign.flatMap(({ field }) => {
      const id = foreignId(entity, field);
      return id === undefined ? [] : [`${field}:${id}`];
    });
  }

  #cacheKey(entity: PlainObject): string | undefined {
    const fields = this.kind.definition.cacheKey;
    if (fields === undefined) return undefined;
    const values = fields.map((field) => foreignId(entity, field) ?? entity[field] ?? null);
    return JSON.stringify(['@cache_key', workspaceOf(entity), ...values]);
  }
}

function uniqueKey(field: string, workspace: string, value: unknown): string {
  return JSON.stringify([field, workspace, value]);
}

/** How many of the ids are not greater than this one. */
function position(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? '') <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
