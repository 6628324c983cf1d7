import { createHash } from 'node:crypto';
import type { PlainObject } from '../schema/index.ts';
import { createRegistry } from './registry.ts';
import type { Registry } from './registry.ts';
import { Table } from './table.ts';
import type { Entity } from './table.ts';
import type { ConfigSnapshot, EntityStore, KnownPlugin } from './types.ts';

/** The id of the workspace `default` in Kong's declarative mode. */
export const defaultWorkspaceId = '0dc6f45b-8f8d-40d2-a504-473544ee190b';

/** The configuration hash of a Kong without configuration. */
export const emptyHash = '0'.repeat(32);

const snapshotKinds = {
  workspaces: 'workspaces',
  services: 'services',
  routes: 'routes',
  consumers: 'consumers',
  keyauthCredentials: 'keyauth_credentials',
  plugins: 'plugins',
  upstreams: 'upstreams',
  targets: 'targets',
  certificates: 'certificates',
  snis: 'snis',
} as const;

/** An entity store that can be changed: by the data layer (Dao) or by putting another store's content in. */
export interface MutableEntityStore extends EntityStore {
  readonly registry: Registry;
  table(kind: string): Table;
  /**
   * Runs a change of one or several entities; listeners hear of it once, after it, with the new snapshot. A listener
   * that throws does not disturb the others.
   */
  change<T>(apply: () => T): T;
  /**
   * Puts all entities of another store in place of these, at once: a reload.
   * @param registry kinds and plugins that hold from then on. Default: as before
   */
  replaceWith(other: EntityStore, registry?: Registry): void;
  /** Sets the configuration hash until the next change; without it the hash is taken from the entities. */
  setHash(hash: string): void;
}

/** An empty store with the workspace `default`. */
export function createEntityStore(
  known: readonly KnownPlugin[] = [],
  registry?: Registry,
): MutableEntityStore {
  return new MemoryStore(registry ?? createRegistry(known));
}

class MemoryStore implements MutableEntityStore {
  #registry: Registry;
  #tables: Map<string, Table>;
  readonly #listeners = new Set<(snapshot: ConfigSnapshot) => void>();
  readonly #lists = new Map<string, { table: Table; version: number; list: readonly PlainObject[] }>();
  #current: ConfigSnapshot | undefined;
  #version = 0;
  #fixedHash: string | undefined;
  #depth = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#tables = new Map([...registry.kinds.values()].map((kind) => [kind.name, new Table(kind)]));
    const now = Math.floor(Date.now() / 1000);
    this.table('workspaces').put({
      id: defaultWorkspaceId,
      name: 'default',
      comment: null,
      created_at: now,
      updated_at: now,
      meta: {},
      config: {},
    });
  }

  get registry(): Registry {
    return this.#registry;
  }

  table(kind: string): Table {
    const table = this.#tables.get(kind);
    if (table === undefined) throw new TypeError(`No entity of the kind '${kind}'.`);
    return table;
  }

  snapshot(): ConfigSnapshot {
    this.#current ??= this.#build();
    return this.#current;
  }

  onChange(listener: (snapshot: ConfigSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change<T>(apply: () => T): T {
    if (this.#depth > 0) return apply();
    const before = this.#tableVersions();
    this.#depth++;
    try {
      return apply();
    } finally {
      this.#depth--;
      if (this.#tableVersions() !== before) this.#changed();
    }
  }

  #tableVersions(): number {
    let sum = 0;
    for (const table of this.#tables.values()) sum += table.version;
    return sum;
  }

  replaceWith(other: EntityStore, registry = this.#registry): void {
    const snapshot = other.snapshot();
    this.#registry = registry;
    const tables = new Map([...this.registry.kinds.values()].map((kind) => [kind.name, new Table(kind)]));
    for (const [list, kind] of Object.entries(snapshotKinds)) {
      const table = tables.get(kind);
      for (const entity of snapshot[list as keyof typeof snapshotKinds]) {
        table?.put(entity as unknown as Entity);
      }
    }
    this.#tables = tables;
    this.#changed(snapshot.hash);
  }

  setHash(hash: string): void {
    this.#fixedHash = hash;
    this.#current = undefined;
  }

  #changed(hash?: string): void {
    this.#version++;
    this.#current = undefined;
    this.#fixedHash = hash;
    if (this.#listeners.size === 0) return;
    const snapshot = this.snapshot();
    for (const listener of [...this.#listeners]) {
      try {
        listener(snapshot);
      } catch (thrown) {
        process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    }
  }

  #build(): ConfigSnapshot {
    const lists: Record<string, readonly PlainObject[]> = {};
    for (const [name, kind] of Object.entries(snapshotKinds)) lists[name] = this.#list(kind);
    const fixedHash = this.#fixedHash;
    let hash = fixedHash;
    const snapshot = {
      version: this.#version,
      get hash(): string {
        hash ??= hashOf(lists);
        return hash;
      },
      ...lists,
    };
    return Object.freeze(snapshot) as unknown as ConfigSnapshot;
  }

  #list(kind: string): readonly PlainObject[] {
    const table = this.table(kind);
    const cached = this.#lists.get(kind);
    if (cached?.table === table && cached.version === table.version) return cached.list;
    const list = Object.freeze([...table.values()]);
    this.#lists.set(kind, { table, version: table.version, list });
    return list;
  }
}

function hashOf(lists: Record<string, readonly PlainObject[]>): string {
  const entities = Object.entries(lists).filter(([name, list]) => name !== 'workspaces' && list.length > 0);
  if (entities.length === 0) return emptyHash;
  return createHash('md5').update(JSON.stringify(entities)).digest('hex');
}
