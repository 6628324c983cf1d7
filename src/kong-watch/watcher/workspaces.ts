import type { KongAdmin } from '../../kong-admin/index.ts';
import type { Workspaces } from './listing.ts';
import type { Remembered, SnapshotStore } from './snapshot/types.ts';

/** Where the names of workspaces are kept; no kind is called so. */
const scope = '(workspaces)';

/**
 * The workspaces by name. A workspace that is not listed any more counts as gone only if Kong says so for it alone. A
 * token may see fewer workspaces than before, and that does not delete everything in them.
 */
export async function listWorkspaces(admin: KongAdmin, snapshots: SnapshotStore): Promise<Workspaces> {
  const names = new Set<string>();
  for (const { name } of await admin.list('/workspaces')) if (typeof name === 'string') names.add(name);
  const changes: Remembered[] = [];
  for (const name of await snapshots.idsBeside(scope, names)) {
    const { status } = await admin.request('GET', `/workspaces/${encodeURIComponent(name)}`);
    if (status === 404) changes.push({ id: name, operation: 'delete' });
    else names.add(name);
  }
  const known = await snapshots.digests(scope, [...names]);
  for (const id of names) {
    if (!known.has(id)) changes.push({ id, operation: 'create', digest: '', text: '' });
  }
  if (changes.length > 0) await snapshots.remember(scope, changes);
  return names.size === 0 ? [null] : [...names];
}
