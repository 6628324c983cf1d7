import { isUuid } from '../../base/uuid.ts';
import { entityErrors, foreignId, page, parseTags } from '../../kong-end/index.ts';
import type { Entity, EntityKind, PlainObject, Registry } from '../../kong-end/index.ts';
import { created, listed, methodNotAllowed, noContent, notFound, ok, shown, unexpected } from './answers.ts';
import { inferTypes } from './form.ts';
import type { Answer, Context, Endpoint, Methods } from './types.ts';

/** How one kind is shown and changed, if it differs from all others. */
export interface EntityManners {
  /** Fields of a body that are kept in other entities. */
  elsewhere?: readonly string[];
  /** Answers a list that is asked for by something other than a page; undefined: it is not. */
  search?: (context: Context) => Entity[] | Answer | undefined;
  show?: (context: Context, entity: Entity) => PlainObject;
  insert?: (context: Context, input: PlainObject) => Entity;
  update?: (context: Context, entity: Entity, input: PlainObject) => Entity;
  upsert?: (context: Context, key: string, input: PlainObject) => Entity;
}

export type Manners = Readonly<Record<string, EntityManners>>;

/** The endpoints of an entity that Kong generates from its schema. */
export class EntityEndpoints {
  readonly #registry: Registry;
  readonly #manners: Manners;

  constructor(registry: Registry, manners: Manners) {
    this.#registry = registry;
    this.#manners = manners;
  }

  *all(): Generator<Endpoint> {
    for (const kind of this.#registry.kinds.values()) {
      if (kind.definition.noAdminApi === true) continue;
      const base = `/${collection(kind)}`;
      const one = `${base}/:${kind.name}`;
      yield { path: base, methods: this.#collection(kind) };
      yield { path: one, methods: this.#entity(kind) };
      for (const { field, reference } of kind.foreign) {
        const parent = this.#registry.kind(reference);
        const nested = `/${collection(parent)}/:${parent.name}/${nestedCollection(kind)}`;
        yield { path: `${one}/${field}`, methods: this.#foreign(kind, field, parent) };
        yield { path: nested, methods: this.#children(kind, field, parent) };
        yield { path: `${nested}/:${kind.name}`, methods: this.#child(kind, field, parent) };
      }
    }
  }

  #collection(kind: EntityKind): Methods {
    return {
      GET: (context) => this.#list(context, kind),
      POST: (context) =>
        created(this.#show(context, kind, this.#insert(context, kind, input(context, kind)))),
    };
  }

  #entity(kind: EntityKind): Methods {
    const find = (context: Context): Entity | undefined => this.#find(context, kind);
    return {
      GET: (context) => this.#answer(context, kind, find(context)),
      PATCH: (context) => this.#patch(context, kind, find(context)),
      PUT: (context) =>
        ok(
          this.#show(
            context,
            kind,
            this.#upsert(context, kind, context.params[kind.name] ?? '', input(context, kind)),
          ),
        ),
      DELETE: (context) => this.#remove(context, kind, find(context)),
    };
  }

  /** `/routes/:routes/service`: what an entity points to. */
  #foreign(kind: EntityKind, field: string, parent: EntityKind): Methods {
    const target = (context: Context): Entity | undefined => {
      const entity = this.#find(context, kind);
      const id = entity === undefined ? undefined : foreignId(entity, field);
      return id === undefined ? undefined : context.state.dao.find(parent.name, id, context.workspace);
    };
    return {
      GET: (context) => this.#answer(context, parent, target(context)),
      PATCH: (context) => this.#patch(context, parent, target(context)),
      PUT: (context) => {
        const entity = this.#find(context, kind);
        if (entity === undefined) return notFound;
        const id = foreignId(entity, field);
        const fields = input(context, parent);
        if (id !== undefined)
          return ok(this.#show(context, parent, this.#upsert(context, parent, id, fields)));
        const made = this.#insert(context, parent, fields);
        this.#update(context, kind, entity, { [field]: { id: made.id } });
        return ok(this.#show(context, parent, made));
      },
      DELETE: (context) => (target(context) === undefined ? notFound : methodNotAllowed),
    };
  }

  /** `/services/:services/routes`. */
  #children(kind: EntityKind, field: string, parent: EntityKind): Methods {
    return {
      GET: (context) => {
        const owner = this.#find(context, parent);
        if (owner === undefined) return notFound;
        const { data, offset } = page(context.state.store, kind.name, {
          ...paging(context),
          parent: { field, id: owner.id },
        });
        const key = encodeURIComponent(context.params[parent.name] ?? '');
        return listed(
          context,
          data.map((entity) => this.#show(context, kind, entity)),
          offset,
          `/${collection(parent)}/${key}/${nestedCollection(kind)}`,
        );
      },
      POST: (context) => {
        const owner = this.#find(context, parent);
        if (owner === undefined) return notFound;
        const fields = { ...input(context, kind), [field]: { id: owner.id } };
        return created(this.#show(context, kind, this.#insert(context, kind, fields)));
      },
    };
  }

  /** `/services/:services/routes/:routes`. */
  #child(kind: EntityKind, field: string, parent: EntityKind): Methods {
    const find = (context: Context): Entity | undefined => {
      const owner = this.#find(context, parent);
      const entity = owner === undefined ? undefined : this.#find(context, kind);
      return entity !== undefined && foreignId(entity, field) === owner?.id ? entity : undefined;
    };
    return {
      GET: (context) => this.#answer(context, kind, find(context)),
      PATCH: (context) => this.#patch(context, kind, find(context)),
      PUT: (context) => {
        const owner = this.#find(context, parent);
        if (owner === undefined) return notFound;
        const fields = { ...input(context, kind), [field]: { id: owner.id } };
        return ok(
          this.#show(context, kind, this.#upsert(context, kind, context.params[kind.name] ?? '', fields)),
        );
      },
      DELETE: (context) => {
        const entity = find(context);
        return entity === undefined ? notFound : this.#remove(context, kind, entity);
      },
    };
  }

  #list(context: Context, kind: EntityKind): Answer {
    const found = this.#manners[kind.name]?.search?.(context);
    if (Array.isArray(found))
      return ok({ data: found.map((entity) => this.#show(context, kind, entity)), next: null });
    if (found !== undefined) return found;
    const size = context.query.get('size');
    const tags = context.query.get('tags');
    // Kong 3.9.3 raises where it is asked for tags without a database.
    if (tags !== null && context.state.readOnly) return unexpected;
    if (isPastTheEnd(context)) return ok({ data: [], next: null });
    const { data, offset } = page(context.state.store, kind.name, {
      ...paging(context),
      tags: tags === null ? undefined : parseTags(tags),
    });
    const more = `${tags === null ? '' : `&tags=${encodeURIComponent(tags)}`}${size === null ? '' : `&size=${size}`}`;
    return listed(
      context,
      data.map((entity) => this.#show(context, kind, entity)),
      offset,
      `/${collection(kind)}`,
      more,
    );
  }

  #find(context: Context, kind: EntityKind): Entity | undefined {
    return context.state.dao.find(kind.name, context.params[kind.name] ?? '', context.workspace);
  }

  #show(context: Context, kind: EntityKind, entity: Entity): PlainObject {
    return this.#manners[kind.name]?.show?.(context, entity) ?? shown(entity, context.state.readOnly);
  }

  #answer(context: Context, kind: EntityKind, entity: Entity | undefined): Answer {
    return entity === undefined ? notFound : ok(this.#show(context, kind, entity));
  }

  #patch(context: Context, kind: EntityKind, entity: Entity | undefined): Answer {
    if (entity === undefined) return context.state.readOnly ? missing(context, kind) : notFound;
    const fields = input(context, kind, entity);
    return ok(this.#show(context, kind, this.#update(context, kind, entity, fields)));
  }

  #remove(context: Context, kind: EntityKind, entity: Entity | undefined): Answer {
    // A missing entity counts as gone, with a database or without one.
    if (entity === undefined) return noContent;
    writable(context, 'remove', kind, keyField(context, kind));
    context.state.dao.delete(kind.name, entity);
    return noContent;
  }

  /** The fields that are the entity's, without those that its manners keep elsewhere. */
  #ownFields(kind: EntityKind, fields: PlainObject): PlainObject {
    const elsewhere = this.#manners[kind.name]?.elsewhere ?? [];
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !elsewhere.includes(name)));
  }

  #insert(context: Context, kind: EntityKind, fields: PlainObject): Entity {
    const { dao, readOnly } = context.state;
    // Without a database as well, Kong looks at the body first.
    if (readOnly) dao.checkedInsert(kind.name, this.#ownFields(kind, fields), context.workspace);
    writable(context, 'create', kind);
    const own = this.#manners[kind.name]?.insert;
    return own?.(context, fields) ?? dao.insert(kind.name, fields, context.workspace);
  }

  #update(context: Context, kind: EntityKind, entity: Entity, fields: PlainObject): Entity {
    const { dao, readOnly } = context.state;
    if (readOnly) dao.checkedUpdate(kind.name, entity, this.#ownFields(kind, fields), context.workspace);
    writable(context, 'update', kind, keyField(context, kind));
    const own = this.#manners[kind.name]?.update;
    return own?.(context, entity, fields) ?? dao.update(kind.name, entity, fields, context.workspace);
  }

  #upsert(context: Context, kind: EntityKind, key: string, fields: PlainObject): Entity {
    const { dao, readOnly } = context.state;
    if (readOnly) dao.checkedUpsert(kind.name, key, this.#ownFields(kind, fields), context.workspace);
    writable(context, 'create or update', kind, keyField(context, kind));
    const own = this.#manners[kind.name]?.upsert;
    return own?.(context, key, fields) ?? dao.upsert(kind.name, key, fields, context.workspace);
  }
}

/** The field that the path names an entity by instead of its id. */
function keyField(context: Context, kind: EntityKind): string | undefined {
  const key = context.params[kind.name];
  return key === undefined || isUuid(key) ? undefined : kind.definition.endpointKey;
}

/** Kong's answer to a change of a missing entity, without a database. */
function missing(context: Context, kind: EntityKind): Answer {
  const key = context.params[kind.name] ?? '';
  const byId = isUuid(key);
  const field = byId ? 'id' : (kind.definition.endpointKey ?? 'id');
  const { status, body } = entityErrors.notFound({ [field]: key }, !byId);
  return { status, body };
}

/** Without a database entities are not changed through their endpoints. */
export function writable(context: Context, verb: string, kind: EntityKind, byField?: string): void {
  if (context.state.readOnly) throw entityErrors.operationUnsupported(verb, kind.name, byField);
}

/** The path of a kind's collection. */
export function collection(kind: EntityKind): string {
  return kind.definition.adminName ?? kind.name;
}

function nestedCollection(kind: EntityKind): string {
  return kind.definition.adminNestedName ?? collection(kind);
}

/** Without a database a text that is base64 and no offset of Kong's is where nothing follows. */
function isPastTheEnd(context: Context): boolean {
  const offset = context.query.get('offset');
  if (!context.state.readOnly || offset === null || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(offset)) return false;
  try {
    return !Array.isArray(JSON.parse(Buffer.from(offset, 'base64').toString()));
  } catch {
    return true;
  }
}

export function paging(context: Context): {
  workspace: string;
  size?: string | undefined;
  offset?: string | undefined;
} {
  return {
    workspace: context.workspace,
    size: context.query.get('size') ?? undefined,
    offset: context.query.get('offset') ?? undefined,
  };
}

/** The body as fields of the kind; a plugin's name, when the body has none, is that of the plugin it changes. */
export function input(context: Context, kind: EntityKind, current?: Entity): PlainObject {
  const named =
    kind.name === 'plugins' && current !== undefined && context.body['name'] === undefined
      ? { ...context.body, name: current['name'] }
      : context.body;
  // Not the schema of `kind`: a reload may have brought another one.
  const { schema } = context.state.store.registry.kind(kind.name);
  return context.form ? inferTypes(schema, named) : named;
}
