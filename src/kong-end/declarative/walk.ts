import { isUuid } from '../../base/uuid.ts';
import { setOwn } from '../../base/set-own.ts';
import { getPath, isObject, own } from '../schema/index.ts';
import type { PlainObject } from '../schema/index.ts';
import type { EntityKind, Registry } from '../entities/index.ts';
import { entityId } from './ids.ts';
import type { EntityPath, Problems } from './problems.ts';
import type { DeclarativeMeta } from './root.ts';

/** Stands in a list in place of an entity that was taken out, so that later ones keep their places. */
export const passedOver: unknown = Object.freeze({});

/** A declared entity, taken out of its nesting. */
export interface DeclaredEntity {
  readonly kind: EntityKind;
  /** Its own fields, the one that points to its parent set. */
  readonly fields: PlainObject;
  readonly path: EntityPath;
}

interface Context {
  readonly registry: Registry;
  readonly meta: DeclarativeMeta;
  readonly workspaceId: string;
  readonly problems: Problems;
  readonly found: DeclaredEntity[];
}

/** All entities of a file, parents before what is nested in them. */
export function collectEntities(
  data: PlainObject,
  registry: Registry,
  meta: DeclarativeMeta,
  workspaceId: string,
  problems: Problems,
): DeclaredEntity[] {
  const context: Context = { registry, meta, workspaceId, problems, found: [] };
  for (const kind of registry.kinds.values())
    collectList(context, kind, own(data, kind.name), [kind.name], undefined);
  return context.found;
}

function collectList(
  context: Context,
  kind: EntityKind,
  list: unknown,
  path: EntityPath,
  parent: { field: string; id: string } | undefined,
): void {
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) {
    if (parent !== undefined) context.problems.add(path, 'expected an array');
    return;
  }
  list.forEach((item: unknown, index) => {
    if (item === passedOver) return;
    const at = [...path, index];
    // A certificate's snis may be plain names.
    const named = kind.name === 'snis' && typeof item === 'string' ? { name: item } : item;
    if (isObject(named)) collectEntity(context, kind, named, at, parent);
    else context.problems.add(at, 'expected a record');
  });
}

function collectEntity(
  context: Context,
  kind: EntityKind,
  item: PlainObject,
  path: EntityPath,
  parent: { field: string; id: string } | undefined,
): void {
  const { meta, workspaceId } = context;
  const nested = new Map(kind.children.map((child) => [child.kind, child]));
  const fields: PlainObject = { ...defaultsFor(meta, kind) };
  for (const [key, value] of Object.entries(item)) {
    if (key === '_comment' || key === '_ignore' || nested.has(key)) continue;
    if (key === '_config' && kind.name === 'plugins' && typeof value === 'string') continue;
    setOwn(fields, key, value);
  }
  const shared = item['_config'];
  if (kind.name === 'plugins' && typeof shared === 'string') {
    const config = own(meta.pluginConfigs, shared);
    if (config === undefined)
      context.problems.add(path, { _config: `no such entry in '_plugin_configs': ${shared}` });
    fields['config'] = {
      ...(isObject(config) ? config : {}),
      ...(isObject(fields['config']) ? fields['config'] : {}),
    };
  }
  if (meta.selectTags.length > 0) {
    const tags = Array.isArray(fields['tags']) ? (fields['tags'] as unknown[]) : [];
    fields['tags'] = [...new Set([...tags, ...meta.selectTags])];
  }
  const position = path.join('.');
  const id = isUuid(fields['id'])
    ? fields['id'].toLowerCase()
    : fields['id'] === undefined
      ? entityId(kind, fields, { workspaceId, parent, position })
      : undefined;
  if (id !== undefined) fields['id'] = id;
  if (parent !== undefined) {
    const given = fields[parent.field];
    if (given !== undefined && given !== null && getPath(given, 'id') !== parent.id) {
      context.problems.add(path, { [parent.field]: 'value must be null' });
    }
    fields[parent.field] = { id: parent.id };
  }
  context.found.push({ kind, fields, path });
  for (const [name, child] of nested) {
    collectList(context, context.registry.kind(name), own(item, name), [...path, name], {
      field: child.field,
      id: id ?? '',
    });
  }
}

function defaultsFor(meta: DeclarativeMeta, kind: EntityKind): PlainObject {
  const defaults = own(meta.defaults, kind.name.replace(/s$/, ''));
  return isObject(defaults) ? defaults : {};
}
