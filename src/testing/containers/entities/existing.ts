import type { KongAdmin } from '../../../kong-admin/index.ts';
import { AdminRefusal } from '../../../kong-admin/index.ts';
import { foreignId } from '../../../kong-end/index.ts';
import type { Entity, EntityKind } from '../../../kong-end/index.ts';

/** What Kong has already, asked for once per kind, together with what has been put there since. */
export class ExistingEntities {
  readonly #admin: KongAdmin;
  readonly #lists = new Map<string, Promise<Entity[]>>();

  constructor(admin: KongAdmin) {
    this.#admin = admin;
  }

  /** The entity that Kong would take for the same, or refuse as a second one. */
  async like(kind: EntityKind, fields: Readonly<Record<string, unknown>>): Promise<Entity | undefined> {
    const list = await this.#of(kind, fields);
    const byField = kind.unique
      .map(({ field }) => field)
      .filter((field) => typeof fields[field] === 'string');
    for (const field of byField) {
      const found = list.find((entity) => entity[field] === fields[field]);
      if (found !== undefined) return found;
    }
    const { cacheKey } = kind.definition;
    if (cacheKey === undefined) return undefined;
    return list.find((entity) =>
      cacheKey.every((field) => valueOf(entity, field) === valueOf(fields, field)),
    );
  }

  /** The entity with this id, or with this name where the kind has names. */
  async named(kind: EntityKind, key: string): Promise<Entity | undefined> {
    const list = await this.#of(kind, {});
    return list.find((entity) => entity.id === key || kind.unique.some(({ field }) => entity[field] === key));
  }

  async withId(kind: EntityKind, fields: Entity): Promise<Entity | undefined> {
    return (await this.#of(kind, fields)).find(({ id }) => id === fields.id);
  }

  async add(kind: EntityKind, entity: Entity): Promise<void> {
    (await this.#of(kind, entity)).push(entity);
  }

  #of(kind: EntityKind, fields: Readonly<Record<string, unknown>>): Promise<Entity[]> {
    const path = collectionOf(kind, fields);
    let list = this.#lists.get(path);
    if (list === undefined) {
      list = this.#admin.list(path).then(
        (entities) => entities as Entity[],
        (error: unknown) => {
          // Kinds of another edition or version, and parents that are not there yet; Kong says so of what is put there.
          if (error instanceof AdminRefusal && error.status === 404) return [];
          throw error;
        },
      );
      this.#lists.set(path, list);
    }
    return list;
  }
}

/** Where the Admin API has the entities of a kind. Targets are below their upstream only. */
export function collectionOf(kind: EntityKind, fields: Readonly<Record<string, unknown>>): string {
  if (kind.name === 'targets') return `/upstreams/${String(valueOf(fields, 'upstream'))}/targets`;
  return `/${kind.definition.adminName ?? kind.name}`;
}

/** A field as it is compared: an id where it points to an entity, null where there is none. */
function valueOf(fields: Readonly<Record<string, unknown>>, field: string): unknown {
  return foreignId(fields, field) ?? fields[field] ?? null;
}
