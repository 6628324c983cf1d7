import { parse } from 'acorn';
import type { Program } from 'acorn';

/** @throws SyntaxError if the source is not JavaScript */
export const parseJavaScript = (source: string): Program =>
  parse(source, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowAwaitOutsideFunction: true,
    allowReturnOutsideFunction: true,
    allowHashBang: true,
  });

/** A node of a syntax tree, of whatever kind. */
export interface AnyNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Calls back for each node below, outer ones first. It goes into a node unless the answer was false. */
export function visit(top: unknown, onNode: (node: AnyNode) => boolean | undefined): void {
  const waiting: unknown[] = [top];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (isNode(next) && onNode(next) === false) continue;
    for (const below of Object.values(next as object))
      if (typeof below === 'object' && below !== null) waiting.push(below);
  }
}

export const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
