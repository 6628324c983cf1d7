import { KongTsError } from 'kong-ts';
import { JsonObject } from './document.ts';
import { toRawJson } from './json.ts';

/** Splits a field name at its dots; `\.` is a dot that does not split. */
export function splitPath(name: string): string[] {
  const segments: string[] = [];
  let current = '';
  for (let i = 0; i < name.length; i++) {
    if (name[i] === '\\' && name[i + 1] === '.') {
      current += '.';
      i += 1;
    } else if (name[i] === '.' && i > 0) {
      segments.push(current);
      current = '';
    } else {
      current += name.charAt(i);
    }
  }
  return [...segments, current];
}

/**
 * What `kong.log.set_serialize_value(name, value)` does: dots nest, missing tables are made, undefined removes.
 *
 * @throws KongTsError CONFIG_INVALID when a dotted name leads through something that is not a table
 */
export function setPath(root: JsonObject, name: string, value: unknown): void {
  const segments = splitPath(name);
  const last = segments.pop() ?? name;
  let node = root;
  for (const segment of segments) {
    if (node.get(segment) === undefined) node.set(segment, new JsonObject());
    const next = node.child(segment);
    if (!(next instanceof JsonObject)) {
      throw new KongTsError(
        'CONFIG_INVALID',
        `The key '${name}' could not be used as a serialize value. Subkey '${segment}' is not a table.`,
      );
    }
    node = next;
  }
  if (value === undefined) node.delete(last);
  else node.set(last, toRawJson(value));
}
