import type { JsonArray } from './document.ts';
import { JsonObject } from './document.ts';
import type { RawText } from './text.ts';

type Container = JsonObject | JsonArray;

function keysOf(node: Container, segment: string): string[] {
  if (node instanceof JsonObject) return segment === '*' ? node.keys() : [segment];
  if (segment === '*') return Array.from({ length: node.length }, (_, i) => String(i));
  return /^\d+$/.test(segment) ? [segment] : [];
}

const childOf = (node: Container, key: string): Container | null =>
  node instanceof JsonObject ? node.child(key) : node.child(Number(key));

function replaceAt(node: Container, segments: readonly string[], replacement: RawText): void {
  const [segment, ...rest] = segments;
  if (segment === undefined) return;
  for (const key of keysOf(node, segment)) {
    if (rest.length > 0) {
      const child = childOf(node, key);
      if (child !== null) replaceAt(child, rest, replacement);
    } else if (node instanceof JsonObject) {
      if (node.get(key) !== undefined) node.set(key, replacement);
    } else if (node.get(Number(key)) !== undefined) {
      node.set(Number(key), replacement);
    }
  }
}

/** Puts the replacement at the end of each path (`*` is every member or item). Absent members stay absent. */
export function redactPaths(root: JsonObject, paths: readonly string[], replacement: RawText): void {
  for (const path of paths) replaceAt(root, splitPath(path), replacement);
}

/** Removes every member that no path leads to or through. */
export function keepPaths(root: JsonObject, paths: readonly string[]): void {
  keep(root, paths.map(splitPath));
}

function keep(node: Container, paths: readonly (readonly string[])[]): void {
  const keys = node instanceof JsonObject ? node.keys() : keysOf(node, '*');
  for (const key of keys) {
    const matching = paths.filter(([segment]) => segment === key || segment === '*');
    if (matching.some(({ length }) => length === 1)) continue;
    if (matching.length === 0) {
      if (node instanceof JsonObject) node.delete(key);
      else node.set(Number(key), 'null');
      continue;
    }
    const child = childOf(node, key);
    if (child !== null)
      keep(
        child,
        matching.map((path) => path.slice(1)),
      );
    else if (node instanceof JsonObject) node.delete(key);
  }
}

/** Splits a path at its dots; `\\.` is a dot that does not split. */
function splitPath(path: string): string[] {
  return path.split(/(?<!\\)\./).map((segment) => segment.replaceAll('\\.', '.'));
}
