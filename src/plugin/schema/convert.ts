import { isDeepStrictEqual } from 'node:util';
import { KongTsError } from '../../errors.ts';
import { lengthAttributes, numberAttributes, stringAttributes } from './checks.ts';
import type { Attributes } from './checks.ts';
import { passedThrough } from './meta.ts';
import type { KongMeta } from './meta.ts';
import { unwrap } from './zod-def.ts';
import type { ZodDef, ZodNode } from './zod-def.ts';
import type { KongField } from '../types.ts';

/** Where in a plugin's configuration a field is, for errors: `config.queue.size`. */
type Path = string;

/** What to use in place of a type that Kong's schema language cannot express. */
const alternatives: Record<string, string> = {
  union: 'use one type, z.enum() for fixed values, or one optional field per alternative',
  tuple: 'use z.array() of one type, or z.object() with named fields',
  date: 'use z.iso.datetime() (a string) or z.number() (a timestamp)',
  bigint: 'use z.int()',
  any: 'name the type, or use z.string() with JSON in it',
  unknown: 'name the type, or use z.string() with JSON in it',
  transform: 'put the transform after a type: z.string().transform(...)',
  pipe: 'put the transform after a type: z.string().transform(...)',
  custom: 'put the check on a type: z.string().refine(...)',
  template_literal: 'use z.string().regex(...)',
  null: 'use z.string().nullable() or another type with .nullable()',
  lazy: 'a configuration cannot refer to itself in Kong; unfold it to a fixed depth',
};

const anyway = 'or give the field in Kong\'s own language: .meta({ kong: { type: "string" } })';

function unsupported(path: Path, type: string, detail = ''): KongTsError {
  const alternative =
    alternatives[type] ?? 'use strings, numbers, booleans, enums, arrays, sets, records or objects';
  return new KongTsError(
    'PLUGIN_SCHEMA_UNSUPPORTED',
    `${path}: z.${type}()${detail} has no counterpart in Kong's schema language;`,
    { fix: `${alternative}, ${anyway}.` },
  );
}

/** How deep objects and arrays may nest: also what ends a z.lazy() that refers to itself. */
const maxDepth = 32;

/** The fields of a zod object in Kong's schema language. */
export function convertFields(def: ZodDef, path: Path, depth = 0): KongField[] {
  return Object.entries(def.shape ?? {}).map(([name, node]) => ({
    [name]: convertField(node, `${path}.${name}`, depth),
  }));
}

/** One field: its type, checks, default and whether it has to be there. */
export function convertField(start: ZodNode, path: Path, depth: number): Record<string, unknown> {
  const { node, optional, nullable, meta, default: preset } = unwrap(start);
  const field = convertNode(node, meta, path, depth);
  const value = preset === undefined ? undefined : jsonDefault(preset.value, path);
  // Kong fills a required record in from its members, as it does for its own plugins' schemas.
  if (value !== undefined && sameAsMembers(field, value)) field['required'] = true;
  else if (value !== undefined) field['default'] = value;
  else if (!optional && !nullable) field['required'] = true;
  return { ...field, ...metaAttributes(meta) };
}

/** Whether a record's default says nothing that the defaults of its members do not. */
function sameAsMembers(field: Attributes, value: unknown): boolean {
  if (field['type'] !== 'record' || typeof value !== 'object' || value === null) return false;
  const members = new Map((field['fields'] as KongField[]).flatMap((member) => Object.entries(member)));
  for (const member of members.values()) {
    if (member['required'] === true && member['type'] !== 'record') return false;
  }
  return Object.entries(value).every(([name, item]) => {
    const member = members.get(name);
    return (
      member !== undefined &&
      (isDeepStrictEqual(item, member['default']) ||
        (member['required'] === true && sameAsMembers(member, item)))
    );
  });
}

/** An element of an array or a value of a map: never absent, null only where zod says so. */
function convertElement(start: ZodNode | undefined, path: Path, depth: number): Record<string, unknown> {
  if (start === undefined) throw unsupported(path, 'unknown');
  const { node, nullable, meta } = unwrap(start);
  const field = { ...convertNode(node, meta, path, depth), ...metaAttributes(meta) };
  return nullable ? field : { ...field, required: true };
}

function convertNode(node: ZodNode, meta: KongMeta, path: Path, depth: number): Attributes {
  if (meta.kong !== undefined) return { ...meta.kong };
  const def = node._zod.def;
  if (depth > maxDepth) throw unsupported(path, 'lazy', ` (more than ${maxDepth} levels)`);
  switch (def.type) {
    case 'string':
      return stringAttributes(def);
    case 'number':
      return numberAttributes(def);
    case 'int':
      return { type: 'integer' };
    case 'boolean':
      return { type: 'boolean' };
    case 'enum':
      return convertValues([...(node._zod.values ?? Object.values(def.entries ?? {}))], path, 'enum');
    case 'literal':
      return convertValues(def.values ?? [], path, 'literal');
    case 'array':
      return {
        type: 'array',
        elements: convertElement(def.element, `${path}[]`, depth + 1),
        ...lengthAttributes(def),
      };
    case 'set':
      return {
        type: 'set',
        elements: convertElement(def.valueType, `${path}[]`, depth + 1),
        ...lengthAttributes(def),
      };
    case 'map':
    case 'record':
      return convertMap(def, path, depth);
    case 'object':
      return { type: 'record', fields: convertFields(def, path, depth + 1) };
    case 'intersection':
      return convertIntersection(def, path, depth);
    case 'union':
      return convertUnion(def, path);
    default:
      throw unsupported(path, def.type);
  }
}

/** Fixed values: one type for all of them, because a Kong field has one. */
function convertValues(values: readonly unknown[], path: Path, kind: string): Attributes {
  if (values.length > 0 && values.every((value) => typeof value === 'string')) {
    return { type: 'string', one_of: values, ...(values.includes('') ? { len_min: 0 } : {}) };
  }
  if (values.length > 0 && values.every((value) => typeof value === 'number')) {
    return { type: values.every(Number.isInteger) ? 'integer' : 'number', one_of: values };
  }
  if (values.length > 0 && values.every((value) => typeof value === 'boolean')) {
    return new Set(values).size === 2 ? { type: 'boolean' } : { type: 'boolean', eq: values[0] };
  }
  throw unsupported(path, kind, ' of values of several types');
}

function convertMap(def: ZodDef, path: Path, depth: number): Attributes {
  const key = def.keyType;
  const known = key === undefined ? undefined : key._zod.values;
  if (def.type === 'record' && key !== undefined && known !== undefined && known.size > 0) {
    // z.record() over an enumeration wants every key: an object by another name.
    const fields = [...known].map((name) => ({
      [String(name)]: convertField(def.valueType ?? key, `${path}.${String(name)}`, depth + 1),
    }));
    return { type: 'record', fields };
  }
  const keys = convertElement(key, `${path} (keys)`, depth + 1);
  if (keys['type'] !== 'string') throw unsupported(path, def.type, ' with keys that are not strings');
  return {
    type: 'map',
    keys,
    values: convertElement(def.valueType, `${path}.*`, depth + 1),
    ...lengthAttributes(def),
  };
}

function convertIntersection(def: ZodDef, path: Path, depth: number): Attributes {
  const sides = [def.left, def.right].map((side) =>
    side === undefined ? { type: 'nothing' } : convertNode(unwrap(side).node, unwrap(side).meta, path, depth),
  );
  const fields = sides.flatMap((side) => (side['type'] === 'record' ? (side['fields'] as KongField[]) : []));
  const names = fields.flatMap((field) => Object.keys(field));
  if (!sides.every((side) => side['type'] === 'record') || new Set(names).size < names.length) {
    throw unsupported(path, 'intersection', ' of anything but objects with different fields');
  }
  return { type: 'record', fields };
}

/** A union of literals and enumerations is one enumeration; any other has no counterpart. */
function convertUnion(def: ZodDef, path: Path): Attributes {
  const values: unknown[] = [];
  for (const option of def.options ?? []) {
    const { node, meta } = unwrap(option);
    const known = node._zod.values;
    if (known === undefined || meta.kong !== undefined) throw unsupported(path, 'union');
    values.push(...known);
  }
  return convertValues(values, path, 'union');
}

function metaAttributes(meta: KongMeta): Attributes {
  const attributes: Attributes = {};
  const description = kongDescription(meta.description);
  if (description !== null) attributes['description'] = description;
  for (const key of passedThrough) {
    if (meta[key] !== undefined) attributes[key] = meta[key];
  }
  return attributes;
}

/** Kong 3.9's metaschema refuses descriptions under 10 and over 500 bytes, and the whole plugin with them. */
function kongDescription(text: string | undefined): string | null {
  if (text === undefined || Buffer.byteLength(text) < 10) return null;
  if (Buffer.byteLength(text) <= 500) return text;
  let cut = text.slice(0, 499);
  while (Buffer.byteLength(cut) > 497) cut = [...cut].slice(0, -1).join('');
  return `${cut}…`;
}

/** A default as Kong takes it: plain JSON. */
function jsonDefault(value: unknown, path: Path): unknown {
  if (value instanceof Set) return [...value].map((item) => jsonDefault(item, path));
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), jsonDefault(item, path)]));
  }
  if (Array.isArray(value)) return value.map((item) => jsonDefault(item, path));
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, jsonDefault(item, path)]),
    );
  }
  throw new KongTsError('PLUGIN_SCHEMA_UNSUPPORTED', `${path}: its default is not a JSON value.`, {
    fix: 'Use a string, number, boolean, array or plain object as default.',
  });
}
