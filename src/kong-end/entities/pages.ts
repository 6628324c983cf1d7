import { entityErrors } from './errors.ts';
import type { MutableEntityStore } from './store.ts';
import { workspaceOf } from './table.ts';
import type { Entity } from './table.ts';

export interface PageOptions {
  workspace: string;
  /** As in the query string. Default: 100. */
  size?: string | number | undefined;
  offset?: string | undefined;
  tags?: TagFilter | undefined;
  /** Only those whose foreign field holds this id. */
  parent?: { field: string; id: string } | undefined;
}

export interface Page<T = Entity> {
  data: T[];
  /** Where the next page starts; undefined: this is the last. */
  offset?: string;
}

export interface TagFilter {
  tags: string[];
  all: boolean;
}

const maxPageSize = 1000;
const defaultPageSize = 100;

/** A page of entities in the order of their ids. Throws EntityError for a size or offset that Kong refuses. */
export function page(store: MutableEntityStore, kindName: string, options: PageOptions): Page {
  const size = pageSize(options.size);
  const after = options.offset === undefined ? undefined : decodeOffset(options.offset)[0];
  const table = store.table(kindName);
  const global = store.registry.kind(kindName).definition.global === true;
  const wanted = (entity: Entity): boolean =>
    (global || workspaceOf(entity) === options.workspace) && matchesTags(entity, options.tags);

  const { ids, start } =
    options.parent === undefined
      ? table.idsAfter(after)
      : { ids: table.idsByParent(options.parent.field, options.parent.id), start: 0 };
  const data: Entity[] = [];
  for (let at = start; at < ids.length; at++) {
    const id = ids[at] ?? '';
    if (options.parent !== undefined && after !== undefined && id <= after) continue;
    const entity = table.get(id);
    if (entity === undefined || !wanted(entity)) continue;
    if (data.length === size) return { data, offset: encodeOffset([data.at(-1)?.id ?? '']) };
    data.push(entity);
  }
  return { data };
}

export interface TagEntry {
  tag: string;
  entity_name: string;
  entity_id: string;
}

/** A page of tags and what carries them; of one tag when it is given. */
export function tagPage(
  store: MutableEntityStore,
  options: { workspace: string; size?: string | undefined; offset?: string | undefined; tag?: string },
): Page<TagEntry> {
  const size = pageSize(options.size);
  const [afterId = '', afterTag] = options.offset === undefined ? [] : decodeOffset(options.offset);
  const entries: TagEntry[] = [];
  for (const { name } of store.registry.kinds.values()) {
    for (const entity of store.table(name).values()) {
      if (workspaceOf(entity) !== options.workspace) continue;
      for (const tag of tagsOf(entity)) {
        if (options.tag !== undefined && tag !== options.tag) continue;
        if (entity.id < afterId || (entity.id === afterId && (afterTag === undefined || tag <= afterTag)))
          continue;
        entries.push({ tag, entity_name: name, entity_id: entity.id });
      }
    }
  }
  entries.sort((a, b) => compare(a.entity_id, b.entity_id) || compare(a.tag, b.tag));
  const data = entries.slice(0, size);
  const last = data.at(-1);
  if (entries.length <= size || last === undefined) return { data };
  return {
    data,
    offset: encodeOffset(options.tag === undefined ? [last.entity_id, last.tag] : [last.entity_id]),
  };
}

/** The filter that `?tags=` asks for: `a,b` has both, `a/b` either. */
export function parseTags(text: string): TagFilter {
  if (text === '') throw entityErrors.invalidOptions({ tags: 'cannot be null' });
  const bytes = ' -+\\-.0-~\\u{80}-\\u{10ffff}';
  const every = new RegExp(`^(?:[${bytes}]+(?:,|$))+$`, 'u').test(text);
  const either = new RegExp(`^(?:[${bytes}]+(?:/|$))+$`, 'u').test(text);
  if (!every && !either) throw entityErrors.invalidOptions({ tags: 'invalid filter syntax' });
  const tags = text.split(every ? ',' : '/').filter((tag) => tag !== '');
  if (tags.length > 5) throw entityErrors.invalidOptions({ tags: 'cannot query more than 5 tags' });
  return { tags, all: every };
}

function matchesTags(entity: Entity, filter: TagFilter | undefined): boolean {
  if (filter === undefined) return true;
  const tags = tagsOf(entity);
  return filter.all
    ? filter.tags.every((tag) => tags.includes(tag))
    : filter.tags.some((tag) => tags.includes(tag));
}

function tagsOf(entity: Entity): string[] {
  return Array.isArray(entity['tags']) ? (entity['tags'] as string[]) : [];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function pageSize(size: string | number | undefined): number {
  if (size === undefined) return defaultPageSize;
  const value = Number(size);
  if (size === '' || Number.isNaN(value)) throw entityErrors.invalidSize('size must be a number');
  if (!Number.isInteger(value) || value < 1 || value > maxPageSize) {
    throw entityErrors.invalidSize(`size must be an integer between 1 and ${maxPageSize}`);
  }
  return value;
}

function encodeOffset(keys: string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

function decodeOffset(token: string): string[] {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(token)) throw entityErrors.invalidOffset(token, 'bad base64 encoding');
  try {
    const keys: unknown = JSON.parse(Buffer.from(token, 'base64').toString());
    if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys;
  } catch {
    // Reported below.
  }
  throw entityErrors.invalidOffset(token, 'bad json encoding');
}
