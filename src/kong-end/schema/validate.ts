import { isUuid } from '../../base/uuid.ts';
import { setOwn } from '../../base/set-own.ts';
import { autoFields } from './auto-fields.ts';
import { subschemaOf } from './shape.ts';
import type { Field, Shape } from './shape.ts';
import { runEntityChecks } from './entity-checks.ts';
import { luaToString } from './lua-text.ts';
import { text } from './messages.ts';
import type { FieldError, FieldErrors, PlainObject } from './types.ts';
import { asRecord, asSequence, isReference, isTable, own } from './values.ts';
import { runValidators } from './validators.ts';

/** All errors of an entity, or undefined. `full`: required fields must be there (insert); otherwise not null (update). */
export function validateEntity(schema: Shape, entity: PlainObject, full: boolean): FieldErrors | undefined {
  const keyField = schema.definition.subschema_key;
  const subschema = subschemaOf(schema, entity);
  if (keyField !== undefined && subschema === undefined) {
    const key = own(entity, keyField);
    if (key === null || key === undefined) return { [keyField]: text.required };
    const shown = typeof key === 'string' ? key : luaToString(asSequence(key)?.[0]);
    return {
      [keyField]: (schema.definition.subschema_error ?? text.subschemaUnknown).replace('%s', () => shown),
    };
  }
  const errors: FieldErrors = {};
  for (const [name, value] of Object.entries(entity)) {
    if (value === undefined || name === 'updated_at') continue;
    if (name === 'ttl' && schema.definition.ttl === true) continue;
    const own_ = schema.fields.get(name);
    const error =
      own_ === undefined ? text.unknown : validateField(subschema?.fields.get(name) ?? own_, value);
    if (error !== undefined) setOwn(errors, name, error);
  }
  for (const [name, field] of schema.fields) {
    const value = own(entity, name);
    if (field.schema.required === true && (value === null || (full && value === undefined))) {
      errors[name] = text.required;
    }
  }
  runEntityChecks(schema, subschema, entity, { full, errors, check: validateField });
  return Object.keys(errors).length === 0 ? undefined : errors;
}

/** The error of one value, or undefined. `null` is "set to nothing". */
export function validateField(field: Field, value: unknown): FieldError | undefined {
  const { schema } = field;
  if (value === null) {
    if (schema['ne'] === null) return schema.err ?? text.ne('null');
    if (schema['eq'] !== undefined && schema['eq'] !== null) return text.eq(luaToString(schema['eq']));
    return schema.required === true ? text.required : undefined;
  }
  if (schema['eq'] === null) return schema.err ?? text.eq('null');
  if (schema.abstract === true) return text.abstract;
  if (schema.type === 'string' && schema.referenceable === true && isReference(value)) return undefined;
  return typeError(field, value) ?? runValidators(schema, value);
}

function typeError(field: Field, value: unknown): FieldError | undefined {
  switch (field.schema.type) {
    case 'array':
    case 'set': {
      const list = asSequence(value);
      if (list === null) return field.schema.type === 'array' ? text.array : text.set;
      return elementErrors(field, list);
    }
    case 'map':
      return isTable(value) ? mapError(field, value) : text.map;
    case 'record':
      return isTable(value) ? recordErrors(field, asRecord(value)) : text.record;
    case 'foreign':
      return foreignErrors(value);
    case 'integer':
      return Number.isInteger(value) ? undefined : text.integer;
    case 'number':
      return typeof value === 'number' ? undefined : text.number;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : text.boolean;
    case 'string':
      return typeof value === 'string' ? undefined : text.string;
    case 'function':
      return typeof value === 'function' ? undefined : text.function;
    default:
      return undefined;
  }
}

const required = new WeakMap<Field, Field>();

/**
 * Elements of sets, keys and values are required whatever their schema says. Elements of arrays are required if it says
 * so.
 */
function asRequired(field: Field): Field {
  if (field.schema.required === true) return field;
  let copy = required.get(field);
  if (copy === undefined) {
    copy = { ...field, schema: { ...field.schema, required: true } };
    required.set(field, copy);
  }
  return copy;
}

function elementErrors(field: Field, list: readonly unknown[]): FieldError | undefined {
  const { elements } = field;
  if (elements === undefined) return undefined;
  const element = field.schema.type === 'set' ? asRequired(elements) : elements;
  const errors: (FieldError | null)[] = [];
  list.forEach((item, index) => {
    const error = validateField(element, item ?? null);
    if (error === undefined) return;
    while (errors.length < index) errors.push(null);
    errors[index] = error;
  });
  return errors.length === 0 ? undefined : errors;
}

function mapError(field: Field, map: PlainObject | unknown[]): FieldError | undefined {
  const { keys, values } = field;
  if (keys === undefined || values === undefined) return undefined;
  // The keys of a list are numbers, as Lua counts them.
  const entries: [string | number, unknown][] = Array.isArray(map)
    ? map.map((item, index) => [index + 1, item])
    : Object.entries(map);
  for (const [key, item] of entries) {
    const error = validateField(asRequired(keys), key) ?? validateField(asRequired(values), item ?? null);
    if (error !== undefined) return error;
  }
  return undefined;
}

function recordErrors(field: Field, value: PlainObject): FieldError | undefined {
  if (field.record === undefined) return undefined;
  const filled = autoFields(field.record, value, 'insert', { check: validateField });
  return filled.errors ?? validateEntity(field.record, filled.value, true);
}

function foreignErrors(value: unknown): FieldError | undefined {
  const id = own(value, 'id');
  if (id === undefined || id === false) return { id: text.missingPrimaryKey };
  if (id === null) return { id: text.required };
  if (typeof id !== 'string') return { id: text.string };
  if (id === '') return { id: text.uuid };
  return isUuid(id) ? undefined : { id: text.uuid };
}
