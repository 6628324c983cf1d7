import type { SchemaDefinition } from './types.ts';
import { isObject } from './values.ts';

/**
 * A schema as `GET /schemas/...` shows it: without code, and with a name for the target of a foreign field. An empty
 * value is an empty list, as Kong's encoder has it, even if it is a map.
 */
export function schemaToJson(schema: SchemaDefinition): { entity_checks: unknown[]; fields: unknown[] } {
  return {
    entity_checks: (schema.entity_checks ?? []).map(named),
    fields: schema.fields.map(named),
  };
}

/** A field or a check, by its name. */
function named(field: object): unknown {
  return Object.fromEntries(Object.entries(field).map(([name, data]) => [name, withoutCode(data)]));
}

function withoutCode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCode);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => typeof item !== 'function' && item !== undefined && key !== 'subschemas')
      .map(([key, item]) => [
        key,
        key === 'fields' && Array.isArray(item)
          ? (item as object[]).map(named)
          : emptyAsList(withoutCode(item)),
      ]),
  );
}

const emptyAsList = (value: unknown): unknown =>
  isObject(value) && Object.keys(value).length === 0 ? [] : value;
