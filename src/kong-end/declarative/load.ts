import { createHash } from 'node:crypto';
import { isUuid } from '../../base/uuid.ts';
import {
  createEntityStore,
  createRegistry,
  defaultWorkspaceId,
  foreignId,
  storedForm,
} from '../entities/index.ts';
import type { Entity, EntityKind, KnownPlugin, MutableEntityStore, Registry } from '../entities/index.ts';
import { isObject, own } from '../schema/index.ts';
import type { FieldError, PlainObject } from '../schema/index.ts';
import { parseDocument, readDocument } from './document.ts';
import type { DeclarativeDocument } from './document.ts';
import { workspaceIdFor } from './ids.ts';
import { nested, passOver, passedOverText } from './passed-over.ts';
import { Problems } from './problems.ts';
import { readRoot } from './root.ts';
import { collectEntities } from './walk.ts';
import type { DeclaredEntity } from './walk.ts';

export interface LoadOptions {
  /** Epoch milliseconds for created_at and updated_at. Default: the clock. */
  now?: () => number;
  /** Gets one line about the parts of a file that the sandbox does not run. Default: nobody gets it. */
  passedOver?: (text: string) => void;
  /** Whether parts that the sandbox does not run are an error. Default: false. */
  strict?: boolean;
  /** `_info`, `_workspace` and `_plugin_configs` are read, as decK does. Default: refused, as Kong does. */
  deck?: boolean;
  /** Kinds and plugins already compiled. Default: compiled from the known plugins. */
  registry?: Registry;
}

/**
 * Loads files of Kong's declarative format (1.1, 2.1, 3.0; YAML or JSON) into a new store. Each file's entities live
 * in its `_workspace` (of decK); files of one workspace add up. Throws FILE_UNREADABLE, or DECLARATIVE_INVALID that names the
 * file, the entity, the field and Kong's text.
 */
export function loadDeclarative(
  files: readonly string[],
  known: readonly KnownPlugin[] = [],
  options: LoadOptions = {},
): MutableEntityStore {
  return loadDocuments(files.map(readDocument), known, options);
}

/** As loadDeclarative, from text, such as the body of `POST /config`. Errors call it `name`. */
export function loadDeclarativeText(
  text: string,
  known: readonly KnownPlugin[] = [],
  options: LoadOptions & { name?: string } = {},
): MutableEntityStore {
  return loadDocuments([parseDocument(text, options.name ?? 'config')], known, options);
}

/** As loadDeclarative, from an object. */
export function loadDeclarativeObject(
  data: PlainObject,
  known: readonly KnownPlugin[] = [],
  options: LoadOptions & { name?: string } = {},
): MutableEntityStore {
  const hash = createHash('md5').update(JSON.stringify(data)).digest('hex');
  return loadDocuments([{ file: options.name ?? 'config', data, hash }], known, options);
}

function loadDocuments(
  documents: readonly DeclarativeDocument[],
  known: readonly KnownPlugin[],
  options: LoadOptions,
): MutableEntityStore {
  const registry = options.registry ?? createRegistry(known);
  const store = createEntityStore(known, registry);
  for (const document of documents) loadDocument(store, document, options);
  const hashes = documents.map(({ hash }) => hash);
  const [first] = hashes;
  if (first !== undefined) {
    store.setHash(hashes.length === 1 ? first : createHash('md5').update(hashes.join()).digest('hex'));
  }
  return store;
}

function loadDocument(store: MutableEntityStore, document: DeclarativeDocument, options: LoadOptions): void {
  const { registry } = store;
  const problems = new Problems(document.file);
  const over = passOver(document.data, new Set(registry.plugins.keys()));
  const text = passedOverText(over);
  if (text !== undefined && options.strict === true) problems.add([], { strict: text.refused });
  else if (text !== undefined) options.passedOver?.(`${document.file}: ${text.passedOver}`);
  if (options.deck !== true) for (const name of over.deck) problems.add([], { [name]: 'unknown field' });
  const meta = readRoot(document.data, registry, problems);
  const workspaceId = workspaceIdFor(meta.workspace);
  const entities = collectEntities(document.data, registry, meta, workspaceId, problems);
  const byKind = new Map<string, DeclaredEntity[]>();
  for (const entity of entities) {
    const list = byKind.get(entity.kind.name);
    if (list === undefined) byKind.set(entity.kind.name, [entity]);
    else list.push(entity);
  }
  const failed = new Set<string>();
  store.change(() => {
    addWorkspace(store, meta.workspace, workspaceId, options);
    // Parents first: names are looked up among what is stored.
    for (const kind of registry.kinds.values()) {
      for (const entity of byKind.get(kind.name) ?? []) {
        addEntity(store, entity, { workspaceId, problems, failed, options });
      }
    }
    for (const entity of over.entities)
      checkEntity(store, entity, { workspaceId, problems, failed, options });
  });
  if (problems.found) throw problems.toError();
}

function addWorkspace(store: MutableEntityStore, name: string, id: string, options: LoadOptions): void {
  const table = store.table('workspaces');
  if (table.get(id) !== undefined) return;
  const filled = store.registry.kind('workspaces').schema.autoFields({ id, name }, 'insert', options);
  table.put({ ...filled.value, id });
}

interface Load {
  readonly workspaceId: string;
  readonly problems: Problems;
  /** Ids of entities with errors. Entities nested in them are not reported as pointing nowhere. */
  readonly failed: Set<string>;
  readonly options: LoadOptions;
}

function addEntity(store: MutableEntityStore, { kind, fields, path }: DeclaredEntity, load: Load): void {
  const { workspaceId, problems, failed, options } = load;
  const name = kind.definition.endpointKey === undefined ? undefined : fields[kind.definition.endpointKey];
  const label = typeof name === 'string' ? name : undefined;
  const fail = (error: FieldError): void => {
    problems.add(path, error, label);
    if (typeof fields['id'] === 'string') failed.add(fields['id']);
  };
  const references = resolveReferences(store, kind, fields, workspaceId, failed);
  const { ttl, ...rest } = references.fields;
  const input = kind.definition.ttl === true ? rest : references.fields;
  const filled = kind.schema.autoFields(input, 'insert', options);
  const errors = filled.errors ?? kind.schema.validate(filled.value);
  if (errors !== undefined || references.errors !== undefined)
    return fail({ ...errors, ...references.errors });
  const entity = storedForm(kind, filled.value ?? {}, workspaceId);
  if (kind.definition.ttl === true) entity['ttl'] = typeof ttl === 'number' ? ttl : null;
  // This workspace is there in any case. A declaration adds to it.
  if (kind.name === 'workspaces' && label === 'default') {
    store.table(kind.name).put({ ...entity, id: defaultWorkspaceId });
    return;
  }
  const taken = declaredTwice(store, kind, entity, workspaceId);
  if (taken === undefined) store.table(kind.name).put(entity);
  else fail(taken);
}

/** The sandbox also checks what it passes over, because Kong does not start with errors in it. */
function checkEntity(store: MutableEntityStore, { kind, fields, path }: DeclaredEntity, load: Load): void {
  const item = fields[''];
  if (item !== undefined) return load.problems.add(path, 'expected a record');
  const references = resolveReferences(store, kind, fields, load.workspaceId, load.failed);
  const filled = kind.schema.autoFields(references.fields, 'insert', load.options);
  const errors = filled.errors ?? kind.schema.validate(filled.value);
  if (errors === undefined && references.errors === undefined) return;
  const name = fields['name'];
  load.problems.add(path, { ...errors, ...references.errors }, typeof name === 'string' ? name : undefined);
}

/** Foreign fields as ids: they may be an id, a name, `{id}` or `{name}`. */
function resolveReferences(
  store: MutableEntityStore,
  kind: EntityKind,
  fields: PlainObject,
  workspaceId: string,
  failed: ReadonlySet<string>,
): { fields: PlainObject; errors?: Record<string, string> } {
  let resolved = fields;
  let errors: Record<string, string> | undefined;
  for (const { field, reference } of kind.foreign) {
    const value = own(fields, field);
    // The entity stands in the one that it points to, or points to an entity that is passed over itself.
    if (value === nested || !store.registry.kinds.has(reference)) {
      if (typeof value === 'string') resolved = { ...resolved, [field]: nested };
      continue;
    }
    const unique = store.registry.kind(reference).unique;
    const wanted =
      typeof value === 'string'
        ? value
        : isObject(value)
          ? (value['id'] ?? unique.map((one) => value[one.field]).find((one) => one !== undefined))
          : undefined;
    if (typeof wanted !== 'string') continue;
    const table = store.table(reference);
    let id = isUuid(wanted) ? table.get(wanted)?.id : undefined;
    for (const { field: key } of unique) id ??= table.byUnique(key, workspaceId, wanted)?.id;
    if (id === undefined && failed.has(wanted)) id = wanted;
    if (id === undefined) {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      errors = {
        ...errors,
        [field]: `invalid reference '${field}: ${text}' (no such entry in '${reference}')`,
      };
    }
    resolved = { ...resolved, [field]: id === undefined ? null : { id } };
  }
  return errors === undefined ? { fields: resolved } : { fields: resolved, errors };
}

function declaredTwice(
  store: MutableEntityStore,
  kind: EntityKind,
  entity: Entity,
  workspaceId: string,
): string | undefined {
  const table = store.table(kind.name);
  const says = (key: string, value: string): string =>
    `uniqueness violation: '${kind.name}' entity with ${key} set to '${value}' already declared`;
  for (const { field } of kind.unique) {
    const value = entity[field];
    if (typeof value === 'string' && table.byUnique(field, workspaceId, value) !== undefined)
      return says(field, value);
  }
  if (table.get(entity.id) !== undefined) return says('primary key', entity.id);
  const { cacheKey } = kind.definition;
  if (cacheKey === undefined || table.byCacheKey(entity) === undefined) return undefined;
  return says(
    'cache_key',
    cacheKey
      .map((field) => foreignId(entity, field) ?? String((entity[field] as string | null) ?? ''))
      .join(':'),
  );
}
