import { KongTsError } from '../../base/errors.ts';
import type {
  EntityCheck,
  FieldError,
  FieldSchema,
  NamedField,
  PlainObject,
  SchemaDefinition,
} from './types.ts';
import { own } from './values.ts';

/** A field with its parts compiled. */
export interface Field {
  readonly schema: FieldSchema;
  readonly elements?: Field;
  readonly keys?: Field;
  readonly values?: Field;
  /** The fields of a record. */
  readonly record?: Shape;
}

/** A schema with its parts compiled. It knows the fields; CompiledSchema works with them. */
export interface Shape {
  readonly name: string;
  readonly definition: SchemaDefinition;
  readonly fields: ReadonlyMap<string, Field>;
  readonly shorthands: readonly (readonly [string, Field])[];
  readonly entityChecks: readonly EntityCheck[];
  readonly subschemas: ReadonlyMap<string, Shape>;
}

/** Finds the error of one value, undefined if it has none. This is `validateField`, for modules below it. */
export type FieldCheck = (field: Field, value: unknown) => FieldError | undefined;

/** @throws KongTsError CONFIG_INVALID when the schema itself is malformed, naming the field */
export function compileShape(definition: SchemaDefinition, path = definition.name ?? ''): Shape {
  if (!Array.isArray(definition.fields)) {
    throw schemaError(path, "has no 'fields' list");
  }
  const fields = compileFields(definition.fields, path);
  const subschemas = new Map<string, Shape>();
  for (const [key, subschema] of Object.entries(definition.subschemas ?? {})) {
    subschemas.set(key, compileShape(subschema, `${path}[${key}]`));
  }
  return {
    name: definition.name ?? '',
    definition,
    fields,
    shorthands: [...compileFields(definition.shorthand_fields ?? [], path)],
    entityChecks: definition.entity_checks ?? [],
    subschemas,
  };
}

function compileFields(list: readonly NamedField[], path: string): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const item of list) {
    const entry = Object.entries(item)[0];
    if (entry === undefined) throw schemaError(path, 'has a field without a name');
    fields.set(entry[0], compileField(entry[1], path === '' ? entry[0] : `${path}.${entry[0]}`));
  }
  return fields;
}

const known = new Set([
  'array',
  'set',
  'map',
  'record',
  'string',
  'number',
  'integer',
  'boolean',
  'foreign',
  'function',
  'any',
  'json',
]);

export function compileField(schema: FieldSchema, path: string): Field {
  if (typeof schema !== 'object' || schema === null) throw schemaError(path, 'is not an object');
  if (!known.has(schema.type)) throw schemaError(path, `has the unknown type '${String(schema.type)}'`);
  switch (schema.type) {
    case 'array':
    case 'set':
      if (schema.elements === undefined) throw schemaError(path, "is a list without 'elements'");
      return { schema, elements: compileField(schema.elements, `${path}[]`) };
    case 'map':
      if (schema.keys === undefined || schema.values === undefined) {
        throw schemaError(path, "is a map without 'keys' or 'values'");
      }
      return {
        schema,
        keys: compileField(schema.keys, `${path}{key}`),
        values: compileField(schema.values, `${path}{}`),
      };
    case 'record': {
      if (schema.abstract === true) return { schema };
      const { fields, entity_checks, shorthand_fields } = schema;
      if (fields === undefined) throw schemaError(path, "is a record without 'fields'");
      return {
        schema,
        record: compileShape(
          {
            fields,
            ...(Array.isArray(entity_checks) ? { entity_checks } : {}),
            ...(Array.isArray(shorthand_fields) ? { shorthand_fields } : {}),
          },
          path,
        ),
      };
    }
    default:
      return { schema };
  }
}

function schemaError(path: string, what: string): KongTsError {
  return new KongTsError('CONFIG_INVALID', `The schema of '${path}' ${what}.`);
}

/** The subschema that an entity's key picks; for a key that is a list, that of its first known item. */
export function subschemaOf(schema: Shape, entity: PlainObject): Shape | undefined {
  const key = schema.definition.subschema_key;
  if (key === undefined) return undefined;
  const value = own(entity, key);
  if (typeof value === 'string') return schema.subschemas.get(value);
  if (!Array.isArray(value)) return undefined;
  for (const item of value as unknown[]) {
    const subschema = typeof item === 'string' ? schema.subschemas.get(item) : undefined;
    if (subschema !== undefined) return subschema;
  }
  return undefined;
}

/** The fields of an entity, those of its subschema in place of its own. */
export function* eachField(schema: Shape, entity?: PlainObject): Generator<[string, Field]> {
  const subschema = entity === undefined ? undefined : subschemaOf(schema, entity);
  for (const [name, field] of schema.fields) yield [name, subschema?.fields.get(name) ?? field];
}

/** The field at a path such as `config.queue.max_entries`. */
export function fieldAt(schema: Shape, path: string, subschema?: Shape): Field | undefined {
  const [head = '', ...rest] = path.split('.');
  const field = subschema?.fields.get(head) ?? schema.fields.get(head);
  if (rest.length === 0 || field === undefined) return field;
  return field.record === undefined ? undefined : fieldAt(field.record, rest.join('.'));
}
