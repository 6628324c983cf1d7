import type { SchemaDefinition } from './types.ts';
import { isObject } from './values.ts';

/** A schema as `GET /schemas/...` shows it: what is code is left out, what a foreign field points to is a name. */
export function schemaToJson(schema: SchemaDefinition): { entity_checks: unknown[]; fields: unknown[] } {
  return {
    entity_checks: (schema.entity_checks ?? []).map(withoutCode),
    fields: schema.fields.map(withoutCode),
  };
}

function withoutCode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCode);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => typeof item !== 'function' && item !== undefined && key !== 'subschemas')
      .map(([key, item]) => [key, withoutCode(item)]),
  );
}
