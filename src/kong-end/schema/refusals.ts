import {
  attributes,
  entityChecks,
  fieldTypes,
  pluginFields,
  requiredAttributes,
  typesOf,
} from './attributes.ts';
import { compileField } from './shape.ts';
import { luaToString } from './lua-text.ts';
import type { FieldError, FieldSchema } from './types.ts';
import { validateField } from './validate.ts';
import { isObject } from './values.ts';

/** One point that Kong would refuse in a plugin's schema: where, and why, in Kong's words. */
export interface SchemaRefusal {
  /** `config.queue.size`; empty for the whole schema. */
  readonly path: string;
  readonly reason: string;
}

/**
 * All points that Kong 3.9 refuses in a plugin's schema when it starts (by the metaschema, and by the rules for a
 * plugin's entity). With any of these in a dump, the whole of Kong does not start. Never throws, whatever the input is.
 */
export function schemaRefusals(schema: unknown): SchemaRefusal[] {
  if (!isObject(schema)) return [{ path: '', reason: 'is not an object' }];
  const found: SchemaRefusal[] = [];
  const { name, fields, entity_checks: checks, ...rest } = schema;
  if (typeof name !== 'string' || name === '') found.push({ path: 'name', reason: 'required field missing' });
  // Functions cannot travel in a dump, and shorthands and transformations have them.
  for (const key of Object.keys(rest)) found.push({ path: key, reason: 'unknown field' });
  try {
    checkFields(fields, '', found);
    checkEntityChecks(checks, '', found);
  } catch {
    found.push({ path: '', reason: 'is nested too deeply' });
  }
  for (const [field, definition] of namedFields(fields)) {
    const type = Object.hasOwn(pluginFields, field) ? pluginFields[field] : undefined;
    if (type === undefined) found.push({ path: field, reason: 'cannot create a new field' });
    else if (isObject(definition) && definition['type'] !== type && definition['type'] !== 'json')
      found.push({ path: field, reason: 'cannot change type in a specialized field' });
  }
  return found;
}

/**
 * All points that Kong 3.9 refuses in a plugin of a dump: in its version, its priority and its schema. Texts are for
 * people, and each names the field.
 */
export function pluginRefusals(plugin: { version?: unknown; priority?: unknown; schema: unknown }): string[] {
  const { version, priority, schema } = plugin;
  const numbers = typeof version === 'string' ? /\d+(?:\.\d+)*/.exec(version)?.[0].split('.') : undefined;
  return [
    ...(numbers === undefined || numbers.length > 3
      ? [`its version ${JSON.stringify(version)} does not follow the "x.y.z" format`]
      : []),
    ...(Number.isInteger(priority)
      ? []
      : [`its priority ${JSON.stringify(priority)} is not a valid integer number`]),
    ...schemaRefusals(schema).map(({ path, reason }) => `${path === '' ? 'its schema' : path}: ${reason}`),
  ];
}

function namedFields(fields: unknown): [string, unknown][] {
  return Array.isArray(fields)
    ? fields.flatMap((field: unknown) => (isObject(field) ? Object.entries(field) : []))
    : [];
}

function checkFields(fields: unknown, path: string, found: SchemaRefusal[]): void {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (!Array.isArray(fields)) {
    found.push({ path: at('fields'), reason: "'fields' must be a table" });
    return;
  }
  for (const field of fields as unknown[]) {
    const entries = isObject(field) ? Object.entries(field) : [];
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) {
      found.push({ path: at('fields'), reason: 'each entry must have one field and no more' });
    } else if (entry[0] === '') found.push({ path: at('""'), reason: 'a name has at least one character' });
    else checkField(entry[1], at(entry[0]), found);
  }
}

function checkField(field: unknown, path: string, found: SchemaRefusal[]): void {
  const refuse = (reason: string): void => void found.push({ path, reason });
  if (!isObject(field)) return refuse('expected a record');
  const { type } = field;
  if (type === undefined || type === null) return refuse('missing type declaration');
  if (typeof type !== 'string' || !(fieldTypes as readonly string[]).includes(type))
    return refuse(`type: expected one of: ${fieldTypes.join(', ')}`);
  const before = found.length;
  for (const [name, value] of Object.entries(field)) {
    const shape = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (shape === undefined) refuse(`${name}: unknown field`);
    else if (value !== null) {
      const error = shape(value);
      if (error !== null) refuse(`${name}: ${error}`);
      if (Object.hasOwn(typesOf, name) && typesOf[name]?.includes(type) === false)
        refuse(`field of type '${type}' cannot have attribute '${name}'`);
    }
  }
  for (const name of requiredAttributes[type] ?? []) {
    if (field[name] == null && !(type === 'record' && field['abstract'] === true))
      refuse(`field of type '${type}' must declare '${name}'`);
  }
  if (field['unique_across_ws'] === true && field['unique'] !== true) refuse('unique: value must be true');
  checkParts(field, path, found);
  if (found.length === before && field['default'] !== undefined)
    checkDefault(field as FieldSchema, path, found);
}

function checkParts(field: Record<string, unknown>, path: string, found: SchemaRefusal[]): void {
  const parts = { elements: '[]', keys: ' (keys)', values: '.*' };
  for (const [name, suffix] of Object.entries(parts)) {
    if (field[name] != null) checkField(field[name], `${path}${suffix}`, found);
  }
  if (field['fields'] != null) checkFields(field['fields'], path, found);
  checkEntityChecks(field['entity_checks'], path, found);
}

function checkEntityChecks(checks: unknown, path: string, found: SchemaRefusal[]): void {
  if (checks === undefined || checks === null) return;
  const refuse = (reason: string): void => void found.push({ path, reason: `entity_checks: ${reason}` });
  if (!Array.isArray(checks)) return refuse('expected an array');
  for (const check of checks as unknown[]) {
    const entries = isObject(check) ? Object.entries(check).filter(([, value]) => value !== null) : [];
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) refuse('exactly one check belongs in each entry');
    else {
      const shape = Object.hasOwn(entityChecks, entry[0]) ? entityChecks[entry[0]] : undefined;
      const error = shape === undefined ? 'unknown field' : shape(entry[1]);
      if (error !== null) refuse(`${entry[0]}: ${error}`);
    }
  }
}

/** Kong checks a default against its own field, as it would a value in a configuration. */
function checkDefault(field: FieldSchema, path: string, found: SchemaRefusal[]): void {
  let error: FieldError | undefined;
  try {
    error = validateField(compileField(field, path), field.default);
  } catch {
    error = 'error in schema prevents from validating this field';
  }
  if (error === undefined) return;
  for (const [where, reason] of leaves(error, path)) {
    const shown = luaToString(field.default);
    found.push({
      path: where,
      reason: where === path ? `default ${shown}: ${reason}` : `default: ${reason}`,
    });
  }
}

function leaves(error: FieldError | null, path: string): [string, string][] {
  if (error === null) return [];
  if (typeof error === 'string') return [[path, error]];
  if (Array.isArray(error)) return error.flatMap((item, index) => leaves(item, `${path}[${index}]`));
  return Object.entries(error).flatMap(([name, item]) =>
    leaves(item, name === '@entity' ? path : `${path}.${name}`),
  );
}
