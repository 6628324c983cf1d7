import { patternProblem } from '../../lua-pattern/index.ts';
import type { KongSchema } from '../types.ts';

/**
 * Lua patterns of a schema that are malformed, by field. Kong takes such a schema, and answers 500 to the configurations
 * that its pattern meets.
 */
export function malformedPatterns(schema: KongSchema): string[] {
  const found: string[] = [];
  look(schema, [], found);
  return found;
}

const attributes: ReadonlySet<string> = new Set([
  'match',
  'not_match',
  'match_all',
  'match_none',
  'match_any',
]);
/** Data that a plugin's author writes. Its keys may have any names. */
const data: ReadonlySet<string> = new Set(['default', 'examples', 'one_of', 'not_one_of', 'eq', 'ne']);
/** Parts of the schema's language that are not names of fields. */
const structure: ReadonlySet<string> = new Set(['fields', 'elements', 'keys', 'values', 'entity_checks']);

function look(node: unknown, path: readonly string[], found: string[]): void {
  if (Array.isArray(node)) {
    for (const item of node as unknown[]) look(item, path, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  for (const [name, value] of Object.entries(node)) {
    const patterns = attributes.has(name) ? patternsIn(value) : [];
    for (const pattern of patterns) {
      const problem = patternProblem(pattern);
      if (problem === null) continue;
      found.push(`${path.join('.')}: ${name}: the Lua pattern ${JSON.stringify(pattern)}: ${problem}`);
    }
    if (patterns.length === 0 && !data.has(name))
      look(value, structure.has(name) ? path : [...path, name], found);
  }
}

/** `match`, `match_all` and `match_any` have patterns in ways of their own; a field of such a name has none. */
function patternsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((item: unknown) => patternsIn(propertyOf(item, 'pattern')));
  const patterns = propertyOf(value, 'patterns');
  return Array.isArray(patterns) ? patterns.filter((item) => typeof item === 'string') : [];
}

const propertyOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
