import { KongTsError } from '../../base/errors.ts';
import type { KongAdmin } from '../../kong-admin/index.ts';
import { AdminRefusal } from '../../kong-admin/index.ts';
import type { Entity } from './changes.ts';
import type { Kind } from './kinds.ts';
import { kindsOf } from './kinds.ts';

const isRecord = (value: unknown): value is Entity =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names of workspaces; null stands for a Kong without any (open source). */
export type Workspaces = readonly (string | null)[];

/** What the Kong has now: its kinds of entity, and whether it has workspaces. */
export interface Inventory {
  readonly kinds: readonly Kind[];
  readonly workspaces: boolean;
  /** First segments of the paths of its Admin API. They do not mean workspaces. */
  readonly segments: ReadonlySet<string>;
}

export async function readInventory(admin: KongAdmin): Promise<Inventory> {
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
  const paths = data.filter((path) => typeof path === 'string');
  return {
    kinds: kindsOf(paths),
    workspaces: paths.includes('/workspaces'),
    segments: new Set(paths.map((path) => path.split('/')[1] ?? '')),
  };
}

/** One page of a kind: its entities by id. */
export type EntityPage = ReadonlyMap<string, Entity>;

/**
 * All entities of a kind, over all workspaces, page by page. Any error rejects the whole listing.
 */
export async function* listEntities(
  admin: KongAdmin,
  kind: Kind,
  workspaces: Workspaces,
  pageSize: number,
): AsyncGenerator<EntityPage> {
  for (const workspace of kind.perWorkspace ? workspaces : [null]) {
    for await (const page of pagesOf(admin.in(workspace), kind, pageSize)) {
      const entities = new Map<string, Entity>();
      for (const entity of page) {
        const id = identityOf(entity);
        if (id !== null) entities.set(id, entity);
      }
      yield entities;
    }
  }
}

async function* pagesOf(admin: KongAdmin, kind: Kind, pageSize: number): AsyncGenerator<Entity[]> {
  if (kind.within === null) {
    yield* admin.pages(kind.path, pageSize);
    return;
  }
  for await (const owners of admin.pages(kind.within, pageSize)) {
    for (const owner of owners) {
      const id = identityOf(owner);
      if (id !== null)
        yield* pagesOfOwner(admin, `${kind.within}/${encodeURIComponent(id)}${kind.path}`, pageSize);
    }
  }
}

async function* pagesOfOwner(admin: KongAdmin, path: string, pageSize: number): AsyncGenerator<Entity[]> {
  try {
    yield* admin.pages(path, pageSize);
  } catch (error) {
    // It has gone since its own list was read, with everything in it.
    if (!(error instanceof AdminRefusal) || error.status !== 404) throw error;
  }
}

/** Kong's ids are UUIDs; a plugin's own table may have a number, or only a name. */
function identityOf(entity: Entity): string | null {
  const id = entity.id ?? entity.name;
  return typeof id === 'string' ? id : typeof id === 'number' ? String(id) : null;
}

/** Whether an entity is really gone: only a 404 says so. */
export async function isGone(
  admin: KongAdmin,
  kind: Kind,
  id: string,
  workspaces: Workspaces,
): Promise<boolean> {
  for (const workspace of kind.perWorkspace ? workspaces : [null]) {
    const answer = await admin.in(workspace).request('GET', `${kind.path}/${encodeURIComponent(id)}`);
    if (answer.status === 404) continue;
    if (answer.status !== 200) throw new AdminRefusal(`${kind.path}/${id} cannot be read.`, answer);
    return false;
  }
  return true;
}

/** The answer of `/status`: whether the node can be believed, and whether anything can have changed. */
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
