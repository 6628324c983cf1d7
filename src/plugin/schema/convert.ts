import { isDeepStrictEqual } from 'node:util';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { mayBeAbsent, presetOf } from './absence.ts';
import { lengthAttributes, numberAttributes, stringAttributes } from './checks.ts';
import type { Attributes } from './checks.ts';
import { passedThrough, refuseUnknownMeta } from './meta.ts';
import type { KongMeta } from './meta.ts';
import { unwrap } from './zod-def.ts';
import type { Unwrapped, ZodDef, ZodNode } from './zod-def.ts';
import type { KongField } from '../types.ts';

/** Where in a plugin's configuration a field is, for errors: `config.queue.size`. */
type Path = string;

/** The alternatives to a type that Kong's schema language cannot express. */
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
  looseRecord: 'use z.record() or z.partialRecord()',
  looseObject: 'name the fields, or use z.record(z.string(), ...) for values of one type',
  nullable: 'leave the entry out in place of null',
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
  // z.strictObject() takes no other fields, z.object() leaves them out; Kong refuses them in either.
  if (def.catchall !== undefined && def.catchall._zod.def.type !== 'never') {
    throw unsupported(path, 'looseObject', ' (an object that takes fields of any name)');
  }
  return Object.entries(def.shape ?? {}).map(([name, node]) => member(name, node, path, depth));
}

/** One member of an object. */
function member(name: string, node: ZodNode, path: Path, depth: number): KongField {
  // zod drops it from its input, so a configured value would never arrive.
  if (name === '__proto__') {
    throw new KongTsError('PLUGIN_SCHEMA_UNSUPPORTED', `${path}.__proto__: zod does not keep such a field.`, {
      fix: 'Give it another name.',
    });
  }
  return { [name]: convertField(node, `${path}.${name}`, depth) };
}

/** One field: its type, checks, default and whether it has to be there. */
export function convertField(start: ZodNode, path: Path, depth: number): Record<string, unknown> {
  try {
    const unwrapped = unwrap(start);
    const { node, meta } = unwrapped;
    const field = convertNode(node, meta, path, depth);
    refuseWhatZodSays(meta, path);
    const there = presence(start, unwrapped, field, path);
    refuseEqual(meta, there, path);
    return { ...field, ...there, ...metaAttributes(meta) };
  } catch (cause) {
    if (KongTsError.is(cause)) throw cause;
    // A default that is made, or the inside of z.lazy().
    throw new KongTsError('PLUGIN_SCHEMA_UNSUPPORTED', `${path}: its schema throws: ${messageOf(cause)}.`, {
      cause,
      fix: 'Kong needs the schema before there is a configuration: let it depend on nothing else.',
    });
  }
}

/**
 * Whether the field has to be there, and its default. Kong fills a record in from its members unless the schema says
 * that it is not required, so that an absent object would become one of its members' defaults.
 */
function presence(start: ZodNode, unwrapped: Unwrapped, field: Attributes, path: Path): Attributes {
  const own = unwrapped.meta.kong;
  if (own !== undefined && ('required' in own || 'default' in own)) return {};
  const isRecord = field['type'] === 'record';
  const value = presetOf(start, unwrapped, path);
  // As in the schemas of Kong's own plugins.
  if (value !== undefined && isRecord && sameAsMembers(field, value)) return { required: true };
  if (value !== undefined) return { default: value };
  if (!unwrapped.nullable && !mayBeAbsent(start)) return { required: true };
  return isRecord ? { required: false } : {};
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

/** An element of an array or a value of a map: never absent, null only where zod and Kong say so. */
function convertElement(
  start: ZodNode | undefined,
  path: Path,
  depth: number,
  of: 'array' | 'set' | 'map',
): Record<string, unknown> {
  if (start === undefined) throw unsupported(path, 'unknown');
  const { node, nullable, meta } = unwrap(start);
  // Kong takes null as an element of arrays only.
  if (nullable && of !== 'array') throw unsupported(path, 'nullable', ` in a ${of}`);
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
        elements: convertElement(def.element, `${path}[]`, depth + 1, 'array'),
        ...lengthAttributes(def),
      };
    case 'set':
      return {
        type: 'set',
        elements: convertElement(def.valueType, `${path}[]`, depth + 1, 'set'),
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
    if (new Set(values).size === 2) return { type: 'boolean' };
    // Not `eq`, which Kong looks at where the field is absent, too; and one_of is for other types.
    return { type: 'boolean', ne: values[0] !== true, err: `value must be ${String(values[0])}` };
  }
  throw unsupported(path, kind, ' of values of several types');
}

function convertMap(def: ZodDef, path: Path, depth: number): Attributes {
  const key = def.keyType;
  const known = key === undefined ? undefined : key._zod.values;
  if (def.mode === 'loose') throw unsupported(path, 'looseRecord', ' (a record that takes any other key)');
  if (def.type === 'record' && key !== undefined && known !== undefined && known.size > 0) {
    // z.record() over an enumeration wants every key: an object by another name.
    const fields = [...known].map((name) => member(String(name), def.valueType ?? key, path, depth + 1));
    return { type: 'record', fields: def.partial === true ? fields.map(mayLack) : fields };
  }
  const keys = convertElement(key, `${path} (keys)`, depth + 1, 'map');
  if (keys['type'] !== 'string') throw unsupported(path, def.type, ' with keys that are not strings');
  return {
    type: 'map',
    keys,
    values: convertElement(def.valueType, `${path}.*`, depth + 1, 'map'),
    ...lengthAttributes(def),
  };
}

/** A member of z.partialRecord(): where it is absent, zod adds nothing. */
function mayLack(member: KongField): KongField {
  return Object.fromEntries(
    Object.entries(member).map(([name, { required: _required, default: _default, ...field }]) => [
      name,
      field['type'] === 'record' ? { ...field, required: false } : field,
    ]),
  );
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

/** Attributes of Kong's language that follow from the zod type. A second value for one would be ignored. */
const saidByZod: Readonly<Record<string, string>> = {
  required: '.optional() or .nullish() for a field that may be absent',
  default: '.default() or .prefault()',
  one_of: 'z.enum()',
};

function refuseWhatZodSays(meta: KongMeta, path: Path): void {
  refuseUnknownMeta(meta, path);
  for (const [name, fix] of Object.entries(saidByZod)) {
    if (!Object.hasOwn(meta, name)) continue;
    throw new KongTsError('PLUGIN_SCHEMA_UNSUPPORTED', `${path}: .meta({ ${name} }) has no effect.`, {
      fix: `Write ${fix}, or the whole field with .meta({ kong }).`,
    });
  }
}

/** Kong checks `eq` even without a value, and so refuses every configuration without the field. */
function refuseEqual(meta: KongMeta, { required, default: preset }: Attributes, path: Path): void {
  if (meta.eq === undefined || meta.eq === null || required === true || preset !== undefined) return;
  throw new KongTsError(
    'PLUGIN_SCHEMA_UNSUPPORTED',
    `${path}: with .meta({ eq }) Kong wants the field in each configuration, and here it may be absent.`,
    { fix: 'Use z.literal(), or a field that has to be there.' },
  );
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
