import { stringify } from 'yaml';
import { foreignId, workspaceOf } from '../entities/index.ts';
import type { MutableEntityStore } from '../entities/index.ts';
import type { PlainObject } from '../schema/index.ts';

/** The entities of a workspace in Kong's declarative format 3.0, as YAML: what `GET /config` shows. */
export function exportDeclarative(store: MutableEntityStore, workspaceId: string): string {
  const document: PlainObject = { _format_version: '3.0', _transform: false };
  for (const kind of store.registry.kinds.values()) {
    if (kind.definition.global === true) continue;
    const list: PlainObject[] = [];
    for (const entity of store.table(kind.name).values()) {
      if (workspaceOf(entity) !== workspaceId) continue;
      const shown: PlainObject = {};
      for (const [field, value] of Object.entries(entity)) {
        if (value !== null && field !== 'ws_id') shown[field] = foreignId(entity, field) ?? value;
      }
      list.push(shown);
    }
    if (list.length > 0) document[kind.name] = list;
  }
  return stringify(document);
}
