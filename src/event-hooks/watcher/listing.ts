import { KongTsError } from '../../errors.ts';
import type { KongAdmin } from '../../kong-admin/client.ts';
import type { Entity } from './changes.ts';
import { kindsOf, type Kind } from './kinds.ts';

const isRecord = (value: unknown): value is Entity =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The kinds of entity that the Kong has now. */
export async function listKinds(admin: KongAdmin): Promise<Kind[]> {
  const body = await admin.send('GET', '/endpoints');
  const data = body?.data;
  if (!Array.isArray(data)) {
    throw new KongTsError(
      'ADMIN_REFUSED',
      `GET ${admin.url}/endpoints did not answer with a list of paths.`,
      {
        fix: 'Check that this is the Admin API of a Kong of 2.3 or later.',
      },
    );
  }
  return kindsOf(data.filter((path) => typeof path === 'string'));
}

/** The workspaces by name; `[null]` for a Kong without any (open source). */
export async function listWorkspaces(admin: KongAdmin): Promise<(string | null)[]> {
  const { status } = await admin.request('GET', '/workspaces?size=1');
  if (status === 404) return [null];
  const names = (await admin.list('/workspaces')).map((workspace) => workspace.name);
  const known = names.filter((name) => typeof name === 'string');
  return known.length === 0 ? [null] : known;
}

/**
 * All entities of a kind, over all workspaces, by id. A listing is whole or it is none: any error rejects.
 */
export async function listEntities(
  admin: KongAdmin,
  kind: Kind,
  workspaces: readonly (string | null)[],
  pageSize: number,
): Promise<Map<string, Entity>> {
  const entities = new Map<string, Entity>();
  for (const workspace of kind.perWorkspace ? workspaces : [null]) {
    for await (const page of admin.in(workspace).pages(kind.path, pageSize)) {
      for (const entity of page) {
        const id = identityOf(entity);
        if (id !== null) entities.set(id, entity);
      }
    }
  }
  return entities;
}

function identityOf(entity: Entity): string | null {
  const id = entity.id ?? entity.name;
  return typeof id === 'string' ? id : null;
}

/** Whether an entity is really gone: only a 404 says so. */
export async function isGone(
  admin: KongAdmin,
  kind: Kind,
  id: string,
  workspaces: readonly (string | null)[],
): Promise<boolean> {
  for (const workspace of kind.perWorkspace ? workspaces : [null]) {
    const found = await admin.in(workspace).send('GET', `${kind.path}/${encodeURIComponent(id)}`);
    if (found !== null) return false;
  }
  return true;
}

/** What `/status` says about whether the node can be believed, and whether anything can have changed. */
export interface NodeState {
  /** False while a node has no configuration yet, or has lost its database. */
  readonly ready: boolean;
  /** The hash of a DB-less node's configuration, null with a database. */
  readonly hash: string | null;
}

export async function nodeState(admin: KongAdmin): Promise<NodeState> {
  const body = (await admin.send('GET', '/status')) ?? {};
  const hash = typeof body.configuration_hash === 'string' ? body.configuration_hash : null;
  const database = isRecord(body.database) ? body.database.reachable : true;
  // 32 zeros: a DB-less node that has not been given a configuration (Kong 3.9.3).
  return { ready: database !== false && !(hash !== null && /^0+$/.test(hash)), hash };
}
