import { KongTsError } from 'kong-ts';
import { JsonArray, JsonObject } from './document.ts';
import type { SetMode } from './fields/protocol.ts';
import type { RawText } from './text.ts';

/** Splits a field name at its dots, as Kong 3.9 does: the first character does not split, and nothing escapes a dot. */
export function splitPath(name: string): string[] {
  const segments: string[] = [];
  let from = 0;
  for (let i = 1; i < name.length; i++) {
    if (name[i] !== '.') continue;
    segments.push(name.slice(from, i));
    from = i + 1;
  }
  return [...segments, name.slice(from)];
}

/** A list of Lua is a table, too: once it has another key, JSON has its items under their numbers. */
function tableOf(container: JsonObject | JsonArray | null): JsonObject | null {
  if (!(container instanceof JsonArray)) return container;
  const table = new JsonObject();
  for (let i = 0; i < container.length; i++) table.set(String(i + 1), container.get(i) ?? 'null');
  return table;
}

/**
 * Does what `kong.log.set_serialize_value(name, value, { mode })` does: dots nest, missing tables are made, and null
 * removes.
 *
 * @param value JSON
 * @throws KongTsError CONFIG_INVALID when a dotted name leads through something that is not a table
 */
export function setPath(root: JsonObject, name: string, value: RawText | null, mode: SetMode = 'set'): void {
  const segments = splitPath(name);
  const last = segments.pop() ?? name;
  let node = root;
  for (const segment of segments) {
    if (node.get(segment) === undefined) {
      if (mode === 'replace') return;
      node.set(segment, new JsonObject());
    }
    const next = tableOf(node.child(segment));
    if (!(next instanceof JsonObject)) {
      throw new KongTsError(
        'CONFIG_INVALID',
        `The key '${name}' could not be used as a serialize value. Subkey '${segment}' is not a table.`,
      );
    }
    node.set(segment, next);
    node = next;
  }
  const exists = node.get(last) !== undefined;
  if ((mode === 'add' && exists) || (mode === 'replace' && !exists)) return;
  if (value === null) node.delete(last);
  else node.set(last, value);
}
