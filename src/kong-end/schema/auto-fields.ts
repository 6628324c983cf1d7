import { randomBytes, randomUUID } from 'node:crypto';
import { setOwn } from '../../base/set-own.ts';
import { eachField } from './shape.ts';
import type { Field, FieldCheck, Shape } from './shape.ts';
import type { Context, FieldErrors, PlainObject } from './types.ts';
import {
  asRecord,
  asSequence,
  deepCopy,
  deepEqual,
  getPath,
  isObject,
  isTable,
  own,
  setPath,
} from './values.ts';
import { luaToString } from './lua-text.ts';

export type AutoResult =
  | { readonly value: PlainObject; readonly errors?: undefined }
  | { readonly value?: undefined; readonly errors: FieldErrors };

export interface AutoOptions {
  /** Epoch milliseconds. Default: the clock. */
  now?: () => number;
  /** Default: a random UUID. */
  uuid?: () => string;
}

/** The needs of filling an entity. */
export interface Filling extends AutoOptions {
  /** Checks the value of a shorthand field. */
  readonly check: FieldCheck;
}

/**
 * The changes that Kong makes to an entity before it checks or stores it, and after it reads it. Shorthand fields
 * become the fields that they stand for, ids and times are filled in, absent fields get their default or null, and sets
 * lose duplicates.
 */
export function autoFields(
  schema: Shape,
  input: PlainObject,
  context: Context,
  options: Filling,
): AutoResult {
  const data = deepCopy(input);
  const errors = expandShorthands(schema, data, options.check);
  if (errors !== undefined) return { errors };
  for (const [name, field] of eachField(schema, data)) {
    const automatic =
      context === 'select' ? own(data, name) : automaticValue(name, field, own(data, name), context, options);
    const value = adjust(field, automatic, context, options);
    if (value !== undefined) setOwn(data, name, value);
  }
  if (context === 'select') tidy(schema, data);
  return { value: data };
}

function expandShorthands(schema: Shape, data: PlainObject, check: FieldCheck): FieldErrors | undefined {
  const errors: FieldErrors = {};
  for (const [name, field] of schema.shorthands) {
    const value = own(data, name);
    if (value === undefined) continue;
    const error = check(field, value) ?? mismatch(name, field, value, data);
    if (error !== undefined) {
      errors[name] = error;
      continue;
    }
    if (!Object.hasOwn(data, name)) continue;
    delete data[name];
    const meant = field.schema.func === undefined ? replaced(field, value) : field.schema.func(value);
    const deprecated = field.schema.deprecation !== undefined;
    for (const [key, part] of Object.entries(meant ?? {})) {
      const current = own(data, key);
      if (isObject(part)) {
        const source = isObject(current) ? current : {};
        setOwn(data, key, deprecated ? merge(source, part) : merge(part, source));
      } else if (!deprecated || current === undefined || current === null) setOwn(data, key, part);
    }
  }
  return Object.keys(errors).length === 0 ? undefined : errors;
}

/** The keys of both tables. If both have a key, `top` wins unless it is null. */
function merge(top: PlainObject, bottom: PlainObject): PlainObject {
  const result = { ...bottom };
  for (const [key, value] of Object.entries(top)) {
    const below = own(bottom, key);
    if (isObject(value) && isObject(below)) setOwn(result, key, merge(value, below));
    else if (value !== null || below === undefined) setOwn(result, key, value);
  }
  return result;
}

/** The path that a shorthand stands for, where the schema says it as data. */
function replacementPath(field: Field): string | undefined {
  const { deprecation } = field.schema;
  const first =
    isObject(deprecation) && Array.isArray(deprecation.replaced_with)
      ? (deprecation.replaced_with as unknown[])[0]
      : undefined;
  const path = isObject(first) ? first.path : field.schema['translate_backwards'];
  return Array.isArray(path) ? path.join('.') : undefined;
}

function replaced(field: Field, value: unknown): PlainObject | undefined {
  const path = replacementPath(field);
  if (path === undefined || value === null) return undefined;
  const result: PlainObject = {};
  setPath(result, path, value);
  return result;
}

function mismatch(name: string, field: Field, value: unknown, data: PlainObject): string | undefined {
  const path = replacementPath(field);
  if (path === undefined || value === null || field.schema.deprecation === undefined) return undefined;
  const current = getPath(data, path);
  if (current === undefined || current === null || deepEqual(current, value)) return undefined;
  return `both deprecated and new field are used but their values mismatch: ${name} = ${luaToString(value)} vs ${path} = ${luaToString(current)}`;
}

function automaticValue(
  name: string,
  field: Field,
  value: unknown,
  context: Context,
  options: Filling,
): unknown {
  if (field.schema.auto !== true) return value;
  const creates = context === 'insert' || context === 'upsert';
  if (field.schema.uuid === true) {
    return creates && value === undefined ? (options.uuid ?? randomUUID)() : value;
  }
  if (field.schema.type === 'string') {
    return creates && value === undefined ? randomText() : value;
  }
  const created = name === 'created_at' && creates && (value === null || value === undefined);
  const updated = name === 'updated_at' && (creates || context === 'update');
  if (!created && !updated) return value;
  const now = (options.now ?? Date.now)() / 1000;
  return field.schema.type === 'integer' ? Math.floor(now) : now;
}

function randomText(): string {
  return randomBytes(24).toString('base64').replace(/[+/=]/g, 'x');
}

function adjust(field: Field, value: unknown, context: Context, options: Filling): unknown {
  const { schema } = field;
  if (context === 'select' && value === null && schema.required === true)
    return missing(field, value, options);
  if (schema.abstract === true) return value;
  if (schema.type === 'record') {
    const recurse =
      context === 'update'
        ? value !== null && value !== undefined
        : value !== null && (value !== undefined || schema.required === true);
    if (recurse) {
      const record = value ?? missing(field, value, options);
      if (isTable(record) && field.record !== undefined) {
        const done = autoFields(field.record, asRecord(record), context, options);
        // A shorthand's error inside a record shows when the record is validated.
        return done.value ?? record;
      }
      return record;
    }
  } else if (isTable(value)) {
    return adjustTable(field, value, context, options);
  }
  if (value === undefined && context !== 'update') return missing(field, value, options);
  return value;
}

function adjustTable(
  field: Field,
  value: PlainObject | unknown[],
  context: Context,
  options: Filling,
): unknown {
  const { type } = field.schema;
  const { elements, values } = field;
  if ((type === 'array' || type === 'set') && elements !== undefined) {
    const list = asSequence(value);
    if (list === null) return value;
    const unique = type === 'set' ? [...new Set(list)] : list;
    return unique.map((item) => adjust(elements, item, context, options));
  }
  if (type === 'map' && values !== undefined) {
    // The keys of a list stay numbers, which the keys of most maps are not.
    if (Array.isArray(value) && value.length > 0)
      return value.map((item) => adjust(values, item, context, options));
    const record = asRecord(value);
    for (const [key, item] of Object.entries(record)) {
      setOwn(record, key, adjust(values, item, context, options));
    }
    return record;
  }
  return value;
}

function missing(field: Field, value: unknown, options: Filling): unknown {
  const { schema } = field;
  if (schema.default !== undefined) {
    const copy = deepCopy(schema.default);
    // If the schema went through Lua, an empty list may appear as an empty object.
    return schema.type === 'array' || schema.type === 'set' ? (asSequence(copy) ?? copy) : copy;
  }
  if (schema.nilable === true) return value;
  if (schema.required !== true) return null;
  if (schema.type === 'record' && field.record !== undefined) {
    return autoFields(field.record, {}, 'insert', options).value ?? {};
  }
  return undefined;
}

/** A stored entity as it is read: without fields that the schema does not know, and without forbidden empty strings. */
function tidy(schema: Shape, data: PlainObject): void {
  for (const key of Object.keys(data)) {
    const field = schema.fields.get(key);
    if (field === undefined) {
      if (!(key === 'ttl' && schema.definition.ttl === true)) delete data[key];
    } else if (field.schema.type === 'string' && (field.schema.len_min ?? 1) > 0 && data[key] === '') {
      data[key] = null;
    } else if (field.schema.type === 'integer' && typeof data[key] === 'number') {
      data[key] = Math.floor(data[key]);
    }
  }
}
