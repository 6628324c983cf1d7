import type { KongAdmin } from '../../kong-admin/client.ts';
import { compare, type Change, type Entity } from './changes.ts';
import type { Kind } from './kinds.ts';
import { isGone, listEntities } from './listing.ts';
import type { Remembered, SnapshotStore } from './snapshot/types.ts';

/** Deletions up to this number are confirmed one by one; more of them by listing the kind a second time. */
const confirmSingly = 20;

/** What one look at a kind has brought. */
export interface Look {
  readonly kind: Kind;
  /** Nothing was known of the kind before: what is there now is the beginning, and no change. */
  readonly first: boolean;
  readonly changes: readonly Change[];
  /** What to remember once the changes have become events. */
  readonly remember: readonly Remembered[];
}

/**
 * Lists a kind and compares it with the snapshot. An entity that is missing counts as deleted only when a second
 * question says so as well: a page that was cut at an unlucky moment is no deletion.
 */
export async function lookAt(
  admin: KongAdmin,
  kind: Kind,
  workspaces: readonly (string | null)[],
  snapshots: SnapshotStore,
  pageSize: number,
): Promise<Look> {
  const first = !(await snapshots.seen(kind.schema));
  const listed = await listEntities(admin, kind, workspaces, pageSize);
  const found = compare(listed, await snapshots.known(kind.schema));
  const missing = found.filter((one) => one.operation === 'delete');
  const gone = await confirmed(
    admin,
    kind,
    workspaces,
    missing.map((one) => one.id),
    pageSize,
  );
  const changes: Change[] = [];
  const remember: Remembered[] = [];
  for (const { id, operation, digest, revision } of found) {
    if (operation === 'delete') {
      if (!gone.has(id)) continue;
      const entity = parse(await snapshots.text(kind.schema, id)) ?? { id };
      changes.push({ schema: kind.schema, id, operation, entity, oldEntity: null, digest, revision });
      remember.push({ id, operation });
      continue;
    }
    const entity = listed.get(id) ?? {};
    const oldEntity = operation === 'update' ? parse(await snapshots.text(kind.schema, id)) : null;
    if (!first) changes.push({ schema: kind.schema, id, operation, entity, oldEntity, digest, revision });
    remember.push({ id, operation, digest, text: JSON.stringify(entity) });
  }
  return { kind, first, changes, remember };
}

async function confirmed(
  admin: KongAdmin,
  kind: Kind,
  workspaces: readonly (string | null)[],
  ids: readonly string[],
  pageSize: number,
): Promise<Set<string>> {
  if (ids.length > confirmSingly) {
    const again = await listEntities(admin, kind, workspaces, pageSize);
    return new Set(ids.filter((id) => !again.has(id)));
  }
  const gone = new Set<string>();
  for (const id of ids) if (await isGone(admin, kind, id, workspaces)) gone.add(id);
  return gone;
}

function parse(text: string | null): Entity | null {
  return text === null ? null : (JSON.parse(text) as Entity);
}
