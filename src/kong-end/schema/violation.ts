import { prettyTable } from './lua-text.ts';
import type { FieldErrors } from './types.ts';
import { isTable } from './values.ts';

/** Kong's summary of errors: cross-field texts first, then the fields by name. */
export function violationMessage(errors: FieldErrors): string {
  const parts: string[] = [];
  const general = errors['@entity'];
  if (Array.isArray(general)) parts.push(...general.map(String));
  for (const name of Object.keys(errors).sort()) {
    if (name === '@entity') continue;
    const error = errors[name];
    if (!isTable(error)) {
      parts.push(`${name}: ${String(error)}`);
      continue;
    }
    const entries: [string, unknown][] = Array.isArray(error)
      ? error.flatMap((item, index): [string, unknown][] =>
          item === null ? [] : [[String(index + 1), item]],
        )
      : Object.entries(error).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, item] of entries) {
      parts.push(`${name}.${key}: ${isTable(item) ? prettyTable(item) : String(item)}`);
    }
  }
  return parts.length === 1
    ? `schema violation (${parts[0]})`
    : `${parts.length} schema violations (${parts.join('; ')})`;
}
