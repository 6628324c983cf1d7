import type { KongAdmin } from '../../kong-admin/index.ts';
import type { Change, Entity } from './changes.ts';
import { changeOf, referringBy } from './changes.ts';
import { digestOf, sameContent } from './digest.ts';
import { withoutNewIds } from './new-ids.ts';
import type { Kind } from './kinds.ts';
import type { Workspaces } from './listing.ts';
import { isGone, listEntities } from './listing.ts';
import type { SnapshotStore } from './snapshot/types.ts';

/** Up to this many deletions are confirmed one by one. More of them are confirmed by a second listing of the kind. */
const confirmSingly = 20;

/** The result of one poll of a kind. */
export interface KindPoll {
  readonly kind: Kind;
  /** How many entities there are. */
  readonly entities: number;
  /** None at the first poll: what is there then is the beginning. */
  readonly changes: readonly Change[];
}

export interface KindPollOptions {
  readonly admin: KongAdmin;
  readonly snapshots: SnapshotStore;
  readonly workspaces: Workspaces;
  readonly pageSize: number;
  /** What of an entity may be kept and shown. */
  readonly shown: (schema: string, entity: Entity) => Entity;
  /** Ids that a DB-less node has given anew in this poll, to kinds before this one, and what they were before. */
  readonly newIds: ReadonlyMap<string, string>;
  /** The node has no database. */
  readonly dbless: boolean;
  /** Whether the present state may be the beginning: the node can be believed, and this process watches. */
  readonly mayBegin: () => Promise<boolean>;
}

/**
 * Lists a kind and compares it with the snapshot, a page at a time. A missing entity counts as deleted only if a second
 * question says so, too, because a page may have been cut at an unlucky moment.
 * @returns null when a first poll may not be the beginning
 */
export async function pollKind(kind: Kind, options: KindPollOptions): Promise<KindPoll | null> {
  const { snapshots, shown } = options;
  if (!(await snapshots.seen(kind.schema))) return firstPoll(kind, options);
  const changes = new Map<string, Change>();
  const seen = new Set<string>();
  let known = 0;
  for await (const page of pagesOf(kind, options)) {
    const digests = await snapshots.digests(kind.schema, [...page.keys()]);
    for (const [id, entity] of page) {
      // Shared by several workspaces, or moved on by one page meanwhile.
      if (seen.has(id)) continue;
      seen.add(id);
      const before = digests.get(id);
      if (before !== undefined) known += 1;
      const digest = digestOf(kind.schema, entity, options.dbless);
      if (before === digest) continue;
      const asBefore = referringBy(options.newIds, entity);
      const compares = digestOf(kind.schema, asBefore, options.dbless, asBefore !== entity);
      const old = before === undefined ? null : parse(await snapshots.text(kind.schema, id));
      const text = JSON.stringify(shown(kind.schema, entity));
      const change = changeOf(kind.schema, id, digest, text, entity, old);
      changes.set(id, { ...change, compares, silent: sameContent(before, compares) });
    }
  }
  const gone = new Map<string, string>();
  if ((await snapshots.count(kind.schema)) > known) {
    const missing = await snapshots.idsBeside(kind.schema, seen);
    const digests = await snapshots.digests(kind.schema, missing);
    for (const id of await confirmed(kind, missing, options)) {
      const old = parse(await snapshots.text(kind.schema, id)) ?? { id };
      changes.set(id, changeOf(kind.schema, id, '', JSON.stringify(old), null, old));
      gone.set(id, digests.get(id) ?? '');
    }
  }
  const all = [...changes.values()];
  return { kind, entities: seen.size, changes: options.dbless ? withoutNewIds(all, gone) : all };
}

async function firstPoll(kind: Kind, options: KindPollOptions): Promise<KindPoll | null> {
  const baseline = await options.snapshots.begin(kind.schema);
  const seen = new Set<string>();
  try {
    for await (const page of pagesOf(kind, options)) {
      for (const id of page.keys()) seen.add(id);
      await baseline.add(
        [...page].map(([id, entity]) => ({
          id,
          digest: digestOf(kind.schema, entity, options.dbless),
          text: JSON.stringify(options.shown(kind.schema, entity)),
        })),
      );
    }
    if (!(await options.mayBegin())) {
      await baseline.abort();
      return null;
    }
    await baseline.commit(seen.size);
  } catch (error) {
    await baseline.abort();
    throw error;
  }
  return { kind, entities: seen.size, changes: [] };
}

async function confirmed(kind: Kind, ids: readonly string[], options: KindPollOptions): Promise<string[]> {
  const { admin, workspaces } = options;
  const questions = ids.length * (kind.perWorkspace ? workspaces.length : 1);
  if (questions > confirmSingly || kind.within !== null) {
    const missing = new Set(ids);
    for await (const page of pagesOf(kind, options)) for (const id of page.keys()) missing.delete(id);
    return [...missing];
  }
  const gone: string[] = [];
  for (const id of ids) if (await isGone(admin, kind, id, workspaces)) gone.push(id);
  return gone;
}

function pagesOf(
  kind: Kind,
  { admin, workspaces, pageSize }: KindPollOptions,
): ReturnType<typeof listEntities> {
  return listEntities(admin, kind, workspaces, pageSize);
}

function parse(text: string | null): Entity | null {
  return text === null ? null : (JSON.parse(text) as Entity);
}
