/**
 * The rules of Kong 3.9's metaschema for a field's attributes: their names, their shapes, and the types that may have
 * them.
 */

export const fieldTypes = [
  ...[
    'array',
    'boolean',
    'foreign',
    'function',
    'integer',
    'json',
    'map',
    'number',
    'record',
    'set',
    'string',
  ],
] as const;

/** Attributes that a type cannot do without. */
export const requiredAttributes: Readonly<Record<string, readonly string[]>> = {
  array: ['elements'],
  set: ['elements'],
  map: ['keys', 'values'],
  record: ['fields'],
  json: ['json_schema'],
};

/** Attributes that only some types may have; all others may stand on any. */
export const typesOf: Readonly<Record<string, readonly string[]>> = {
  between: ['integer', 'number'],
  len_eq: ['array', 'set', 'string', 'map'],
  match: ['string'],
  one_of: ['string', 'number', 'integer'],
  contains: ['array', 'set'],
  is_regex: ['string'],
  timestamp: ['number', 'integer'],
  uuid: ['string'],
  unique: ['string', 'number', 'integer', 'foreign'],
  unique_across_ws: ['string', 'number', 'integer', 'foreign'],
  abstract: ['string', 'number', 'integer', 'record', 'array', 'set', 'map'],
  json_schema: ['json'],
  transient: ['string', 'number', 'integer', 'array', 'set', 'boolean'],
};

type Shape = (value: unknown) => string | null;

const ofType =
  (type: string, a = 'a'): Shape =>
  (value) =>
    typeof value === type ? null : `expected ${a} ${type}`;
const string = (value: unknown): string | null =>
  typeof value === 'string' ? (value === '' ? 'length must be at least 1' : null) : 'expected a string';
const boolean = ofType('boolean');
const number = ofType('number');
const integer: Shape = (value) => (Number.isInteger(value) ? null : 'expected an integer');
const anything: Shape = () => null;
const list =
  (item: Shape): Shape =>
  (value) =>
    Array.isArray(value) ? (value.map(item).find((error) => error !== null) ?? null) : 'expected an array';
const record =
  (fields: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected a record';
    for (const name of required) {
      if ((value as Record<string, unknown>)[name] == null) return `${name}: required field missing`;
    }
    for (const [name, item] of Object.entries(value)) {
      const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (shape === undefined) return `${name}: unknown field`;
      const error = item === null ? null : shape(item);
      if (error !== null) return `${name}: ${error}`;
    }
    return null;
  };
const between: Shape = (value) =>
  Array.isArray(value) && value.length !== 2 ? 'length must be 2' : list(number)(value);
const description: Shape = (value) => {
  if (typeof value !== 'string') return 'expected a string';
  const length = Buffer.byteLength(value);
  if (length < 10) return 'length must be at least 10';
  return length > 500 ? 'length must be at most 500' : null;
};
const patterns = list(record({ pattern: string, err: string }, ['pattern']));

/** Every attribute with the check of its value; those that hold fields themselves are walked elsewhere. */
export const attributes: Readonly<Record<string, Shape>> = {
  type: anything,
  required: boolean,
  reference: string,
  description,
  examples: list(anything),
  auto: boolean,
  unique: boolean,
  unique_across_ws: boolean,
  on_delete: (value) =>
    ['restrict', 'cascade', 'null'].includes(value as string)
      ? null
      : 'expected one of: restrict, cascade, null',
  default: anything,
  abstract: boolean,
  generate_admin_api: boolean,
  immutable: boolean,
  err: string,
  encrypted: boolean,
  referenceable: boolean,
  json_schema: anything,
  transient: boolean,
  deprecation: record(
    {
      message: string,
      removal_in_version: string,
      old_default: anything,
      replaced_with: list(record({ path: list(string) }, ['path'])),
    },
    ['message', 'removal_in_version'],
  ),
  between,
  eq: anything,
  ne: anything,
  gt: number,
  len_eq: integer,
  len_min: integer,
  len_max: integer,
  match: string,
  not_match: string,
  match_all: patterns,
  match_none: patterns,
  match_any: record({ patterns: list(string), err: string }, ['patterns']),
  starts_with: string,
  one_of: list(anything),
  not_one_of: list(anything),
  contains: anything,
  is_regex: boolean,
  timestamp: boolean,
  uuid: boolean,
  mutually_exclusive_subsets: list(list(string)),
  elements: anything,
  keys: anything,
  values: anything,
  fields: anything,
  entity_checks: anything,
};

const names = list(string);

/** Checks over several fields, with the shape of their arguments. */
export const entityChecks: Readonly<Record<string, Shape>> = {
  at_least_one_of: names,
  conditional_at_least_one_of: record({
    if_field: string,
    if_match: anything,
    then_at_least_one_of: names,
    then_err: string,
    else_match: anything,
    else_then_at_least_one_of: names,
    else_then_err: string,
  }),
  only_one_of: names,
  distinct: names,
  conditional: record({
    if_field: string,
    if_match: anything,
    then_field: string,
    then_match: anything,
    then_err: string,
  }),
  mutually_required: names,
  mutually_exclusive: names,
  mutually_exclusive_sets: record({ set1: names, set2: names }),
};

/** The fields of Kong's plugins that a plugin's schema may speak about, and their types. */
export const pluginFields: Readonly<Record<string, string>> = {
  id: 'string',
  name: 'string',
  instance_name: 'string',
  created_at: 'integer',
  updated_at: 'integer',
  route: 'foreign',
  service: 'foreign',
  consumer: 'foreign',
  consumer_group: 'foreign',
  config: 'record',
  protocols: 'set',
  enabled: 'boolean',
  tags: 'set',
  ordering: 'record',
};
