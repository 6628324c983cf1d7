import { setOwn } from '../../base/set-own.ts';
import { unwrap } from './zod-def.ts';
import type { ZodDef, ZodNode } from './zod-def.ts';

/**
 * Turns a configuration as Kong sends it into one as zod expects it. An absent field arrives as null and becomes absent
 * again (unless zod wants the null). `$refs` (Kong's notes about vault references) go. Sets and maps are built. An
 * empty Lua table, which is `{}` and `[]` at once, takes the form of the schema.
 */
export function normalise(value: unknown, schema: ZodNode): unknown {
  const { node, nullable, meta } = unwrap(schema);
  if (meta.kong !== undefined) return value;
  if (value === null) return nullable || node._zod.def.type === 'null' ? null : undefined;
  if (typeof value !== 'object') return value;
  const def = node._zod.def;
  switch (def.type) {
    case 'object':
      return isEmptyArray(value) ? normaliseObject({}, def) : normaliseObject(value, def);
    case 'intersection':
      return normaliseIntersection(value, def);
    case 'record':
      return normaliseRecord(isEmptyArray(value) ? {} : value, def);
    case 'map':
      return normaliseMap(isEmptyArray(value) ? {} : value, def);
    case 'array':
      return normaliseItems(value, def.element);
    case 'set': {
      const items = normaliseItems(value, def.valueType);
      return Array.isArray(items) ? new Set<unknown>(items) : items;
    }
    default:
      return value;
  }
}

type Dictionary = Record<string, unknown>;

function normaliseObject(value: object, def: ZodDef): unknown {
  if (Array.isArray(value)) return value;
  const source = value as Dictionary;
  // Without a prototype, because zod would find its `constructor` in an object that has none of its own.
  const result = Object.create(null) as Dictionary;
  for (const [key, item] of Object.entries(source)) {
    if (key === '$refs') continue;
    const field = own(def.shape, key);
    const kept = field === undefined ? item : normalise(item, field);
    if (kept !== undefined) setOwn(result, key, kept);
  }
  for (const [key, field] of Object.entries(def.shape ?? {})) {
    if (Object.hasOwn(result, key)) continue;
    const { optional, nullable, default: preset } = unwrap(field);
    if (nullable && !optional && preset === undefined) setOwn(result, key, null);
  }
  return result;
}

/** Both sides see the whole object; each brings the fields it knows into shape. */
function normaliseIntersection(value: object, def: ZodDef): unknown {
  let result: unknown = value;
  for (const side of [def.left, def.right]) {
    if (side !== undefined) result = normalise(result, side);
  }
  return result;
}

function normaliseRecord(value: object, def: ZodDef): unknown {
  if (Array.isArray(value) || def.valueType === undefined) return value;
  const result: Dictionary = {};
  for (const [key, item] of Object.entries(value as Dictionary)) {
    if (key === '$refs') continue;
    const kept = normalise(item, def.valueType);
    if (kept !== undefined) setOwn(result, key, kept);
  }
  return result;
}

function normaliseMap(value: object, def: ZodDef): unknown {
  const record = normaliseRecord(value, def);
  if (Array.isArray(record) || typeof record !== 'object' || record === null) return record;
  return new Map<unknown, unknown>(Object.entries(record));
}

function normaliseItems(value: object, element: ZodNode | undefined): unknown {
  if (!Array.isArray(value)) return Object.keys(value).length === 0 ? [] : value;
  return value.map((item: unknown) => (element === undefined ? item : normalise(item, element)));
}

function isEmptyArray(value: object): boolean {
  return Array.isArray(value) && value.length === 0;
}

function own(shape: ZodDef['shape'], key: string): ZodNode | undefined {
  return shape !== undefined && Object.hasOwn(shape, key) ? shape[key] : undefined;
}
