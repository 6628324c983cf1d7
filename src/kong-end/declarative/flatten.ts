import { isUuid } from '../../base/uuid.ts';
import type { MutableEntityStore, Registry } from '../entities/index.ts';
import { isObject, isTable, own } from '../schema/index.ts';
import type { FieldError, PlainObject } from '../schema/index.ts';

/** One error of an entity, as `?flatten_errors=1` lists them. */
interface FlatMessage {
  type: 'entity' | 'field';
  field?: string;
  message?: string;
}

interface FlatEntity {
  entity_type: string;
  entity_id?: string;
  entity_name?: string;
  entity_tags?: string[];
  entity: PlainObject;
  errors: FlatMessage[];
}

export interface Flattened {
  /** One entry per entity that has errors of its own, nested ones included. */
  readonly flattened_errors: FlatEntity[];
  /** What belongs to no entity. */
  readonly fields: PlainObject;
}

/** Kong's flat list of errors: each with the entity it is about, as it stands in the input. */
export function flattenErrors(
  input: PlainObject,
  errors: PlainObject,
  registry: MutableEntityStore['registry'],
): Flattened {
  const flattened: FlatEntity[] = [];
  const fields: PlainObject = {};
  for (const [kind, section] of Object.entries(errors)) {
    const list = own(input, kind);
    if (registry.kinds.has(kind) && Array.isArray(section) && Array.isArray(list)) {
      addList(flattened, registry, kind, list, section as (FieldError | null)[]);
    } else fields[kind] = section;
  }
  return { flattened_errors: flattened, fields };
}

function addList(
  flattened: FlatEntity[],
  registry: Registry,
  kind: string,
  list: unknown[],
  errors: readonly (FieldError | null)[],
  parent?: { field: string; id: unknown },
): void {
  errors.forEach((error, index) => {
    const entity = list[index];
    if (error === null || !isObject(entity)) return;
    addEntity(
      flattened,
      registry,
      kind,
      parent === undefined ? entity : { [parent.field]: { id: parent.id }, ...entity },
      error,
    );
  });
}

function addEntity(
  flattened: FlatEntity[],
  registry: Registry,
  kind: string,
  entity: PlainObject,
  error: FieldError,
): void {
  const own_: PlainObject = { ...entity };
  const left: Record<string, FieldError> = isObject(error)
    ? { ...(error as Record<string, FieldError>) }
    : { '@entity': error };
  for (const child of registry.kind(kind).children) {
    const list = own_[child.kind];
    const nested = left[child.kind];
    delete own_[child.kind];
    delete left[child.kind];
    if (!Array.isArray(list) || !Array.isArray(nested)) continue;
    const parent = isUuid(entity['id']) ? { field: child.field, id: entity['id'] } : undefined;
    addList(flattened, registry, child.kind, list, nested, parent);
  }
  const errors = messages(left, '');
  if (errors.length === 0) return;
  const { id, name, tags } = entity;
  flattened.push({
    entity_type: kind.replace(/s$/, ''),
    ...(isUuid(id) ? { entity_id: id } : {}),
    ...(typeof name === 'string' && name !== '' ? { entity_name: name } : {}),
    ...(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? { entity_tags: tags } : {}),
    entity: own_,
    errors,
  });
}

function messages(errors: Readonly<Record<string, FieldError>>, path: string): FlatMessage[] {
  return Object.entries(errors).flatMap(([key, error]): FlatMessage[] => {
    if (key === '@entity') {
      const texts = Array.isArray(error) ? error : [error];
      return texts.map((text) => ({
        type: 'entity',
        message: typeof text === 'string' ? text : JSON.stringify(text),
      }));
    }
    const field = path === '' ? key : `${path}.${key}`;
    if (!isTable(error)) return [{ type: 'field', field, message: error }];
    if (!Array.isArray(error)) return messages(error, field);
    return error.flatMap((item, index) =>
      item === null ? [] : messages({ [String(index + 1)]: item }, field),
    );
  });
}
