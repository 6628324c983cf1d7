import { uuidV5 } from '../../base/uuid.ts';
import type { PlainObject } from '../schema/index.ts';
import { defaultWorkspaceId } from '../entities/index.ts';
import type { EntityKind } from '../entities/index.ts';

/** Kong's namespace for the ids of declared entities. */
const entitiesNamespace = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';
const namespaces = new Map<string, string>();

/** The id that Kong gives to a declared entity whose key is known: the same in every load. */
export function declaredId(kind: string, key: string): string {
  let namespace = namespaces.get(kind);
  if (namespace === undefined) namespaces.set(kind, (namespace = uuidV5(entitiesNamespace, kind)));
  return uuidV5(namespace, key);
}

/** The id of a workspace that a file names. */
export function workspaceIdFor(name: string): string {
  return name === 'default' ? defaultWorkspaceId : declaredId('workspaces', name);
}

export interface Placement {
  readonly workspaceId: string;
  /** The entity that this one is nested in, and the field that points to it. */
  readonly parent?: { readonly field: string; readonly id: string } | undefined;
  /** Where it stands in its list; only for entities that nothing else tells apart. */
  readonly position: string;
}

/**
 * The id of a declared entity without one. In the workspace `default` it is Kong's own: from the fields that are
 * unique together or from the endpoint key. Where Kong makes a random id (nothing unique is given), the id comes
 * from the place in the file, so that a reload does not make a new entity of it.
 */
export function entityId(kind: EntityKind, item: PlainObject, placement: Placement): string {
  const { workspaceId } = placement;
  const key = uniqueKey(kind, item, placement) ?? `@position:${placement.position}`;
  return declaredId(kind.name, workspaceId === defaultWorkspaceId ? key : `${key}:${workspaceId}`);
}

function uniqueKey(kind: EntityKind, item: PlainObject, placement: Placement): string | undefined {
  const { cacheKey, endpointKey } = kind.definition;
  if (cacheKey !== undefined) return cacheKeyText(kind, cacheKey, item, placement);
  const value = endpointKey === undefined ? undefined : item[endpointKey];
  return typeof value === 'string' ? value : undefined;
}

/** As Kong joins them; `*` is its word for "no workspace named". */
function cacheKeyText(
  kind: EntityKind,
  cacheKey: readonly string[],
  item: PlainObject,
  { parent }: Placement,
): string | undefined {
  const parts = [kind.name, '*'];
  for (const field of cacheKey) {
    const value = item[field];
    if (typeof value === 'string') parts.push(value);
    else if (value === undefined && parent?.field === field) parts.push(parent.id);
    else if (value === undefined) {
      if (kind.schema.fields.get(field)?.schema.required === true) return undefined;
      parts.push('');
    }
  }
  return parts.join(':');
}
