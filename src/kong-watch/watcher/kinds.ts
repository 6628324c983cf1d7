/** A kind of entity that the Admin API can list. */
export interface Kind {
  /** The name of its schema: `keyauth_credentials`. What `crud` events are named after. */
  readonly schema: string;
  /** Where it is listed: `/key-auths`. */
  readonly path: string;
  /** Whether each workspace has its own list of it. */
  readonly perWorkspace: boolean;
  /** Schemas of the kinds that its entities belong to: routes have services. */
  readonly parents: readonly string[];
  /** The collection whose entities each have a list of these, where there is no list of all. */
  readonly within: string | null;
}

/** Kong lists `/targets` among its endpoints and answers it with 404 (3.9): there are the lists of each upstream only. */
const nested: Readonly<Record<string, string>> = { targets: '/upstreams' };

/** Paths that look like a collection and hold no entities, or those of another path (Kong 3.9.3, `GET /endpoints`). */
const notEntities =
  /^\/(tags|cache|clustering|debug|schemas|proxy-cache|config|audit|timers|plugins\/schema|acme)\//;
/** Kinds that exist once per Kong, not once per workspace. */
const global = new Set(['workspaces', 'licenses', 'clustering_data_planes']);

/**
 * The kinds of entity of a Kong, from what `GET /endpoints` lists: each `/<path>` that also has `/<path>/{<schema>}`.
 * So those of Enterprise and of a plugin's own tables are found without naming them. A kind comes after its parents.
 */
export function kindsOf(endpoints: readonly string[]): Kind[] {
  // Before 3.0, parameters were written `:name`.
  const paths = new Set(endpoints.map((path) => path.replace(/:([a-z0-9_]+)/g, '{$1}')));
  const found = new Map<string, Kind>();
  const parents = new Map<string, Set<string>>();
  for (const endpoint of paths) {
    const nested = /^\/[^{}]+\/\{([a-z0-9_]+)\}\/[^{}]+\/\{([a-z0-9_]+)\}$/.exec(endpoint);
    if (nested !== null) {
      const [, parent = '', child = ''] = nested;
      parents.set(child, (parents.get(child) ?? new Set()).add(parent));
    }
    const [, path, schema] = /^(\/[^{}]+)\/\{([a-z0-9_]+)\}$/.exec(endpoint) ?? [];
    if (path === undefined || schema === undefined) continue;
    if (!paths.has(path) || notEntities.test(endpoint) || !names(path, schema)) continue;
    const known = found.get(schema);
    // Several paths may list one kind; the shortest is Kong's own.
    if (known !== undefined && known.path.length <= path.length) continue;
    found.set(schema, {
      schema,
      path,
      perWorkspace: !global.has(schema),
      parents: [],
      within: within(schema),
    });
  }
  const kinds = [...found.values()].map((kind) => ({
    ...kind,
    parents: [...(parents.get(kind.schema) ?? [])].filter(
      (parent) => parent !== kind.schema && found.has(parent),
    ),
  }));
  return parentsFirst(kinds.sort((a, b) => (a.schema < b.schema ? -1 : 1)));
}

function within(schema: string): string | null {
  return Object.hasOwn(nested, schema) ? (nested[schema] ?? null) : null;
}

function parentsFirst(kinds: readonly Kind[]): Kind[] {
  const result = new Set<Kind>();
  const visiting = new Set<Kind>();
  const visit = (kind: Kind): void => {
    if (result.has(kind) || visiting.has(kind)) return;
    visiting.add(kind);
    for (const parent of kinds) if (kind.parents.includes(parent.schema)) visit(parent);
    result.add(kind);
  };
  for (const kind of kinds) visit(kind);
  return [...result];
}

/** `/cache/{key}` names a parameter; `/key-auths/{keyauth_credentials}` names a schema, which is a plural. */
function names(path: string, schema: string): boolean {
  return schema.endsWith('s') || path.endsWith(`/${schema}`);
}

/** Kinds that are written with others: `snis` of `POST /certificates`. */
const writtenWith: Readonly<Record<string, string>> = { snis: 'certificates', targets: 'upstreams' };

/** Whether a write sets the health of a target or of one of its addresses by hand. */
export function setsHealth(url: string): boolean {
  return /\/upstreams\/.+\/(un)?healthy\/?$/.test(url.split('?')[0] ?? '');
}

/** Writes that change no entity: checks of a schema, log levels, caches. */
const notWrites = /^(\/[^/]+)?\/(schemas|debug|cache|proxy-cache|timers|clustering)(\/|$)/;

/**
 * The kinds that a write may have changed, by its path: every collection that the path names, what hangs on it where it
 * was a deletion, and all kinds where the path names none (`/config`).
 */
export function kindsOfWrite(method: string, url: string, kinds: readonly Kind[]): readonly Kind[] {
  const path = url.split('?')[0] ?? '';
  if (notWrites.test(path)) return [];
  const text = `${path}/`;
  // Nested paths are in the singular (`/consumers/x/key-auth`) where the collection is in the plural.
  const named = kinds.filter(
    ({ path: own }) => text.includes(`${own}/`) || text.includes(`${own.replace(/s$/, '')}/`),
  );
  if (named.length === 0) return kinds;
  if (method === 'DELETE') return withChildren(named, kinds);
  const schemas = new Set(named.map(({ schema }) => schema));
  return kinds.filter(({ schema }) => {
    const other = Object.hasOwn(writtenWith, schema) ? writtenWith[schema] : undefined;
    return schemas.has(schema) || (other !== undefined && schemas.has(other));
  });
}

/** The kinds and everything that belongs to them: it may go with them. */
export function withChildren(of: readonly Kind[], kinds: readonly Kind[]): Kind[] {
  const schemas = new Set(of.map((kind) => kind.schema));
  for (const kind of kinds) if (kind.parents.some((parent) => schemas.has(parent))) schemas.add(kind.schema);
  return kinds.filter((kind) => schemas.has(kind.schema));
}

/** The kinds and everything that they may belong to, parents first as in `kinds`. */
export function withParents(of: readonly Kind[], kinds: readonly Kind[]): Kind[] {
  const schemas = new Set(of.map((kind) => kind.schema));
  for (const kind of [...kinds].reverse())
    if (schemas.has(kind.schema)) for (const parent of kind.parents) schemas.add(parent);
  return kinds.filter((kind) => schemas.has(kind.schema));
}
