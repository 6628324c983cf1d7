import { randomUUID } from 'node:crypto';
import { isUuid } from '../../base/uuid.ts';
import { setOwn } from '../../base/set-own.ts';
import { eachField, isObject, own, validateField } from '../schema/index.ts';
import type { AutoOptions, PlainObject, Shape } from '../schema/index.ts';
import { entityErrors } from './errors.ts';
import { parseAddress } from './hosts.ts';
import { checkPluginProtocols } from './plugin-protocols.ts';
import type { EntityKind } from './registry.ts';
import type { MutableEntityStore } from './store.ts';
import { foreignId, storedForm, workspaceOf } from './table.ts';
import type { Entity } from './table.ts';

/** Reads and writes entities by Kong's rules; throws EntityError with Kong's status and body. */
export class Dao {
  readonly store: MutableEntityStore;
  readonly #options: AutoOptions;

  /** `options` inject the clock and the ids. */
  constructor(store: MutableEntityStore, options: AutoOptions = {}) {
    this.store = store;
    this.#options = options;
  }

  /** By id, or by the kind's endpoint key (name, username, ...). Undefined if the workspace has no such entity. */
  find(kindName: string, key: string, workspace: string): Entity | undefined {
    const { kind, table } = this.#kind(kindName);
    if (isUuid(key)) return inWorkspace(kind, table.get(key), workspace);
    const field = kind.definition.endpointKey;
    const unique = kind.unique.find((candidate) => candidate.field === field);
    if (field === undefined) throw entityErrors.schemaViolation({ id: 'expected a valid UUID' });
    if (unique === undefined) return undefined;
    const compiled = kind.schema.fields.get(field);
    const error = compiled === undefined ? undefined : validateField(compiled, key);
    if (typeof error === 'string') throw entityErrors.invalidUnique(field, error);
    return inWorkspace(kind, table.byUnique(field, workspace, key), workspace, unique.everywhere);
  }

  insert(kindName: string, input: PlainObject, workspace: string): Entity {
    const { kind } = this.#kind(kindName);
    return this.#write(kind, this.checkedInsert(kindName, input, workspace), workspace, undefined);
  }

  /** What `insert` would write. @throws EntityError where the input is not valid */
  checkedInsert(kindName: string, input: PlainObject, workspace: string): PlainObject {
    const { kind } = this.#kind(kindName);
    if (kindName === 'plugins') checkPluginProtocols(this.store, input);
    const filled = this.#fill(kind, this.#prepare(kind, input), 'insert');
    this.#resolveForeign(kind, filled, workspace);
    const errors = kind.schema.validate(filled);
    if (errors !== undefined) throw entityErrors.schemaViolation(errors);
    return filled;
  }

  update(kindName: string, current: Entity, input: PlainObject, workspace: string): Entity {
    const { kind } = this.#kind(kindName);
    const merged = this.checkedUpdate(kindName, current, input, workspace);
    return this.#write(kind, { ...merged, id: current.id }, workspace, current);
  }

  /** What `update` would write. @throws EntityError where the input is not valid */
  checkedUpdate(kindName: string, current: Entity, input: PlainObject, workspace: string): PlainObject {
    const { kind } = this.#kind(kindName);
    if (kindName === 'plugins') {
      const touched = ['protocols', 'service', 'route'].some((field) => own(input, field) !== undefined);
      if (touched) {
        const { protocols, service, route } = current;
        checkPluginProtocols(this.store, { protocols, service, route, ...input });
      }
    }
    const partial = this.#fill(kind, this.#prepare(kind, input), 'update');
    const merged = mergeValues(kind.schema, partial, current);
    delete merged['ws_id'];
    this.#resolveForeign(kind, merged, workspace);
    const errors = kind.schema.validate(merged, false);
    if (errors !== undefined) throw entityErrors.schemaViolation(errors);
    return merged;
  }

  /** Puts an entity in place of the one with this key, or makes it. */
  upsert(kindName: string, key: string, input: PlainObject, workspace: string): Entity {
    const { kind } = this.#kind(kindName);
    const current = this.find(kindName, key, workspace);
    return this.#write(kind, this.checkedUpsert(kindName, key, input, workspace), workspace, current);
  }

  /** What `upsert` would write. @throws EntityError where the input is not valid */
  checkedUpsert(kindName: string, key: string, input: PlainObject, workspace: string): PlainObject {
    const { kind } = this.#kind(kindName);
    const current = this.find(kindName, key, workspace);
    const field = kind.definition.endpointKey;
    const named = isUuid(key) || field === undefined ? {} : { [field]: key };
    const id = current?.id ?? (isUuid(key) ? key : undefined);
    const wanted = { ...this.#prepare(kind, input), ...named, ...(id === undefined ? {} : { id }) };
    if (kindName === 'plugins') checkPluginProtocols(this.store, wanted);
    const filled = this.#fill(kind, wanted, 'upsert');
    this.#resolveForeign(kind, filled, workspace);
    const errors = kind.schema.validate(filled);
    if (errors !== undefined) throw entityErrors.schemaViolation(errors);
    return filled;
  }

  /** Removes an entity with everything that goes with it. Refuses if others still point to it. */
  delete(kindName: string, entity: Entity): void {
    const removed: { kind: string; id: string }[] = [];
    this.#collect(kindName, entity.id, removed);
    this.store.change(() => {
      for (const { kind, id } of removed.reverse()) this.store.table(kind).remove(id);
    });
  }

  #collect(kindName: string, id: string, removed: { kind: string; id: string }[]): void {
    removed.push({ kind: kindName, id });
    for (const child of this.#kind(kindName).kind.children) {
      const ids = this.store.table(child.kind).idsByParent(child.field, id);
      if (ids.length === 0) continue;
      const cascade = child.onDelete === 'cascade' || child.kind === 'snis';
      if (!cascade) throw entityErrors.foreignKeyRestricted(kindName, child.kind);
      for (const childId of ids) this.#collect(child.kind, childId, removed);
    }
  }

  #kind(name: string): { kind: EntityKind; table: ReturnType<MutableEntityStore['table']> } {
    return { kind: this.store.registry.kind(name), table: this.store.table(name) };
  }

  /** What a kind does to its input before anything else. */
  #prepare(kind: EntityKind, input: PlainObject): PlainObject {
    if (kind.name !== 'targets' || typeof input['target'] !== 'string') return input;
    if (typeof parseAddress(input['target']) !== 'string') return input;
    throw entityErrors.schemaViolation({ target: 'Invalid target; not a valid hostname or ip address' });
  }

  #fill(kind: EntityKind, input: PlainObject, context: 'insert' | 'update' | 'upsert'): PlainObject {
    const { ttl, ...rest } = input;
    const fields = kind.definition.ttl === true ? rest : input;
    const filled = kind.schema.autoFields(fields, context, { uuid: randomUUID, ...this.#options });
    if (filled.errors !== undefined) throw entityErrors.schemaViolation(filled.errors);
    if (kind.definition.ttl === true) {
      if (ttl !== undefined) filled.value['ttl'] = checkTtl(ttl);
      else if (context !== 'update') filled.value['ttl'] = null;
    }
    return filled.value;
  }

  /** Foreign fields may name the other entity by a unique field: `{"service": {"name": "a"}}`. */
  #resolveForeign(kind: EntityKind, entity: PlainObject, workspace: string): void {
    for (const { field, reference } of kind.foreign) {
      const value = entity[field];
      if (!isObject(value) || isUuid(own(value, 'id'))) continue;
      for (const { field: unique } of this.store.registry.kind(reference).unique) {
        const wanted = own(value, unique);
        if (typeof wanted !== 'string' || wanted === '') continue;
        const found = this.store.table(reference).byUnique(unique, workspace, wanted);
        if (found === undefined)
          throw entityErrors.foreignKeyUnresolved(field, { [unique]: wanted }, reference);
        entity[field] = { id: found.id };
        break;
      }
    }
  }

  #write(kind: EntityKind, filled: PlainObject, workspace: string, current: Entity | undefined): Entity {
    const table = this.store.table(kind.name);
    const entity = storedForm(kind, filled, workspace);
    if (current === undefined && table.get(entity.id) !== undefined) {
      throw entityErrors.primaryKeyViolation({ id: entity.id });
    }
    this.#checkUnique(kind, entity);
    for (const { field, reference } of kind.foreign) {
      const id = foreignId(entity, field);
      if (id === undefined) continue;
      const parent = this.store.table(reference).get(id);
      if (inWorkspace(this.store.registry.kind(reference), parent, workspace) === undefined) {
        throw entityErrors.foreignKeyMissing(field, { id }, reference);
      }
    }
    this.store.change(() => table.put(entity));
    return entity;
  }

  #checkUnique(kind: EntityKind, entity: Entity): void {
    const table = this.store.table(kind.name);
    const cacheKey = kind.definition.cacheKey;
    if (cacheKey !== undefined) {
      const other = table.byCacheKey(entity);
      if (other !== undefined && other.id !== entity.id) {
        throw entityErrors.uniqueViolation(
          Object.fromEntries(cacheKey.map((field) => [field, entity[field] ?? null])),
        );
      }
    }
    for (const { field } of kind.unique) {
      const value = entity[field];
      if (value === null || value === undefined) continue;
      const other = table.byUnique(field, workspaceOf(entity), value);
      if (other !== undefined && other.id !== entity.id) {
        throw entityErrors.uniqueViolation({ [field]: value });
      }
    }
  }
}

function inWorkspace(
  kind: EntityKind,
  entity: Entity | undefined,
  workspace: string,
  everywhere = false,
): Entity | undefined {
  if (entity === undefined || everywhere || kind.definition.global === true) return entity;
  return workspaceOf(entity) === workspace ? entity : undefined;
}

function checkTtl(ttl: unknown): number | null {
  if (ttl === null) return null;
  if (typeof ttl === 'number' && Number.isInteger(ttl) && ttl >= 0 && ttl <= 100000000) return ttl;
  throw entityErrors.invalidOptions({ ttl: 'must be an integer between 0 and 100000000' });
}

/** The fields of both. If both have a field, `top` wins; records are merged field by field. */
function mergeValues(schema: Shape, top: PlainObject, bottom: PlainObject): PlainObject {
  const output: PlainObject = { ...bottom };
  for (const [key, value] of Object.entries(top)) setOwn(output, key, value);
  for (const [name, field] of eachField(schema, bottom)) {
    const above = own(top, name);
    const below = own(bottom, name);
    if (above === undefined) {
      if (below !== undefined) output[name] = below;
    } else if (field.record !== undefined && isObject(above)) {
      output[name] = mergeValues(field.record, above, isObject(below) ? below : {});
    }
  }
  return output;
}
