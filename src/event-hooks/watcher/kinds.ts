/** A kind of entity that the Admin API can list. */
export interface Kind {
  /** The name of its schema: `keyauth_credentials`. What `crud` events are named after. */
  readonly schema: string;
  /** Where it is listed: `/key-auths`. */
  readonly path: string;
  /** Whether each workspace has its own list of it. */
  readonly perWorkspace: boolean;
}

/** Paths that look like a collection and hold no entities, or those of another path (Kong 3.9.3, `GET /endpoints`). */
const notEntities = /^\/(tags|cache|clustering|debug|schemas|plugins\/schema|proxy-cache|config|acme\/)/;
/** Kinds that exist once per Kong, not once per workspace. */
const global = new Set(['workspaces', 'licenses', 'clustering_data_planes', 'rbac_users', 'admins']);

/**
 * The kinds of entity of a Kong, from what `GET /endpoints` lists: each `/<path>` that also has `/<path>/{<schema>}`.
 * So those of Enterprise and of a plugin's own tables are found without naming them.
 */
export function kindsOf(endpoints: readonly string[]): Kind[] {
  const all = new Set(endpoints);
  const found = new Map<string, Kind>();
  for (const endpoint of endpoints) {
    const match = /^(\/[^{}]+)\/\{([a-z0-9_]+)\}$/.exec(endpoint);
    const [, path, schema] = match ?? [];
    if (path === undefined || schema === undefined) continue;
    if (!all.has(path) || notEntities.test(path) || !names(path, schema)) continue;
    const known = found.get(schema);
    // Several paths may list one kind; the shortest is Kong's own.
    if (known !== undefined && known.path.length <= path.length) continue;
    found.set(schema, { schema, path, perWorkspace: !global.has(schema) });
  }
  return [...found.values()].sort((a, b) => (a.schema < b.schema ? -1 : 1));
}

/** `/cache/{key}` names a parameter; `/key-auths/{keyauth_credentials}` names a schema, which is a plural. */
function names(path: string, schema: string): boolean {
  return schema.endsWith('s') || path.endsWith(`/${schema}`);
}

/** The kind that a request path of the Admin API is about, null when none: the last collection in it counts. */
export function kindOfPath(path: string, kinds: readonly Kind[]): Kind | null {
  const segments = path.split('?')[0]?.split('/').filter(Boolean) ?? [];
  for (let index = segments.length - 1; index >= 0; index -= 1) {
    const name = segments[index] ?? '';
    // Nested paths are in the singular (`/consumers/x/key-auth`) where the collection is in the plural.
    const kind = kinds.find(({ path: own }) => own === `/${name}` || own === `/${name}s`);
    if (kind !== undefined) return kind;
  }
  return null;
}
