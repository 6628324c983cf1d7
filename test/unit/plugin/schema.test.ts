import { describe, expect, it } from 'vitest';
import { kongTsError } from '../../support/errors.ts';
import { z } from 'zod';
import { compilePlugin } from '../../../src/plugin/define.ts';
import type { KongMeta } from '../../../src/plugin/schema/meta.ts';

/** The config fields of the dump's schema, by name. */
function fieldsOf(shape: Record<string, z.ZodType>): Record<string, unknown> {
  const plugin = compilePlugin({
    name: 'test',
    version: '1.0.0',
    access: () => undefined,
    config: z.object(shape),
  });
  const config = plugin.schema.fields.find((field) => 'config' in field)?.['config'];
  return Object.assign({}, ...(config?.['fields'] as object[])) as Record<string, unknown>;
}

const fieldOf = (schema: z.ZodType): unknown => fieldsOf({ x: schema })['x'];

describe("zod to Kong's schema", () => {
  it.each<[string, z.ZodType, object]>([
    ['string', z.string(), { type: 'string', len_min: 0, required: true }],
    ['string min', z.string().min(1), { type: 'string', len_min: 1, required: true }],
    ['string min max', z.string().min(2).max(5), { type: 'string', len_min: 2, len_max: 5, required: true }],
    ['string length', z.string().length(3), { type: 'string', len_eq: 3, required: true }],
    ['optional', z.string().min(1).optional(), { type: 'string', len_min: 1 }],
    ['nullable', z.boolean().nullable(), { type: 'boolean' }],
    ['nullish', z.boolean().nullish(), { type: 'boolean' }],
    ['union with null', z.union([z.boolean(), z.null()]), { type: 'boolean' }],
    [
      'union with one that takes null',
      z.union([z.enum(['a', 'b']).nullable(), z.literal('c')]),
      { type: 'string', one_of: ['a', 'b', 'c'] },
    ],
    ['length without a bound', z.string().max(Infinity), { type: 'string', len_min: 0, required: true }],
    ['lengths between', z.string().min(1.5).max(2.5), { type: 'string', len_eq: 2, required: true }],
    [
      'an empty start',
      z.string().startsWith('').includes(''),
      { type: 'string', len_min: 0, required: true },
    ],
    ['default', z.boolean().default(true), { type: 'boolean', default: true }],
    ['optional default', z.boolean().optional().default(true), { type: 'boolean', default: true }],
    ['readonly', z.boolean().readonly(), { type: 'boolean', required: true }],
    ['number', z.number(), { type: 'number', required: true }],
    ['int', z.int(), { type: 'integer', required: true }],
    ['number int', z.number().int(), { type: 'integer', required: true }],
    ['int range', z.int().min(1).max(10), { type: 'integer', between: [1, 10], required: true }],
    ['int at least', z.int().min(1), { type: 'integer', gt: 0, required: true }],
    ['int positive', z.int().positive(), { type: 'integer', gt: 0, required: true }],
    ['int exclusive', z.int().gt(1).lt(10), { type: 'integer', between: [2, 9], required: true }],
    ['int32', z.int32(), { type: 'integer', between: [-2147483648, 2147483647], required: true }],
    ['number range', z.number().min(0).max(60), { type: 'number', between: [0, 60], required: true }],
    [
      "number range with fractions, whose text is Kong's own",
      z.number().min(0.001).max(60),
      { type: 'number', between: [0.001, 60], required: true },
    ],
    ['number above', z.number().gt(0.5), { type: 'number', gt: 0.5, required: true }],
    [
      'number at least',
      z.number().min(0),
      {
        type: 'number',
        between: [0, Number.MAX_VALUE],
        err: 'value must be at least 0',
        required: true,
      },
    ],
    [
      'number below',
      z.number().min(0).lt(1),
      {
        type: 'number',
        between: [0, 1],
        ne: 1,
        err: 'value must be at least 0 and less than 1',
        required: true,
      },
    ],
    [
      'object whose default says no more than its members do',
      z.object({ size: z.int().default(1), limit: z.int().optional() }).prefault({}),
      {
        type: 'record',
        fields: [{ size: { type: 'integer', default: 1 } }, { limit: { type: 'integer' } }],
        required: true,
      },
    ],
    [
      'object whose default repeats those of its members',
      z.object({ size: z.int().default(1) }).default({ size: 1 }),
      { type: 'record', fields: [{ size: { type: 'integer', default: 1 } }], required: true },
    ],
    [
      'object with a default of its own',
      z.object({ size: z.int().default(1) }).default({ size: 2 }),
      { type: 'record', fields: [{ size: { type: 'integer', default: 1 } }], default: { size: 2 } },
    ],
    [
      'object whose default fills in what has to be there',
      z.object({ size: z.int() }).default({ size: 2 }),
      { type: 'record', fields: [{ size: { type: 'integer', required: true } }], default: { size: 2 } },
    ],
    ['enum', z.enum(['a', 'b']), { type: 'string', one_of: ['a', 'b'], required: true }],
    ['literal', z.literal('a'), { type: 'string', one_of: ['a'], required: true }],
    ['literals', z.literal([-1, 1]), { type: 'integer', one_of: [-1, 1], required: true }],
    [
      'union of literals',
      z.union([z.literal('a'), z.enum(['b', 'c'])]),
      { type: 'string', one_of: ['a', 'b', 'c'], required: true },
    ],
    [
      'literal boolean',
      z.literal(true),
      { type: 'boolean', ne: false, err: 'value must be true', required: true },
    ],
    [
      'literal boolean that may be absent',
      z.literal(false).optional(),
      { type: 'boolean', ne: true, err: 'value must be false' },
    ],
    [
      'array',
      z.array(z.int()).min(1).max(3),
      {
        type: 'array',
        elements: { type: 'integer', required: true },
        len_min: 1,
        len_max: 3,
        required: true,
      },
    ],
    [
      'set',
      z.set(z.enum(['a', 'b'])).default(new Set(['a'] as const)),
      {
        type: 'set',
        elements: { type: 'string', one_of: ['a', 'b'], required: true },
        default: ['a'],
      },
    ],
    [
      'map',
      z.record(z.string().min(1), z.number()),
      {
        type: 'map',
        keys: { type: 'string', len_min: 1, required: true },
        values: { type: 'number', required: true },
        required: true,
      },
    ],
    [
      'record over an enumeration',
      z.record(z.enum(['a', 'b']), z.int()),
      {
        type: 'record',
        fields: [{ a: { type: 'integer', required: true } }, { b: { type: 'integer', required: true } }],
        required: true,
      },
    ],
    [
      'partial record over an enumeration',
      z.partialRecord(z.enum(['a']), z.int().default(1)),
      { type: 'record', fields: [{ a: { type: 'integer' } }], required: true },
    ],
    [
      'partial record of objects',
      z.partialRecord(z.enum(['a']), z.object({ b: z.int().default(1) })),
      {
        type: 'record',
        fields: [
          { a: { type: 'record', fields: [{ b: { type: 'integer', default: 1 } }], required: false } },
        ],
        required: true,
      },
    ],
    [
      'object',
      z.object({ a: z.object({ b: z.boolean() }) }),
      {
        type: 'record',
        fields: [
          {
            a: {
              type: 'record',
              fields: [{ b: { type: 'boolean', required: true } }],
              required: true,
            },
          },
        ],
        required: true,
      },
    ],
    [
      'intersection',
      z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })),
      {
        type: 'record',
        fields: [{ a: { type: 'integer', required: true } }, { b: { type: 'integer', required: true } }],
        required: true,
      },
    ],
    ['transform', z.string().min(1).transform(Number), { type: 'string', len_min: 1, required: true }],
    ['uuid', z.uuid(), { type: 'string', len_min: 0, uuid: true, required: true }],
    [
      'startsWith',
      z.string().startsWith('/'),
      { type: 'string', len_min: 0, starts_with: '/', required: true },
    ],
    [
      'regex',
      z.string().regex(/^[a-z]+-\d{2}$/),
      { type: 'string', len_min: 0, match: '^[a-z]+%-%d%d$', required: true },
    ],
    [
      'regex that Lua cannot say',
      z.string().regex(/^(a|b)+$/),
      { type: 'string', len_min: 0, required: true },
    ],
    [
      'checks after trim are not of what Kong sees',
      z.string().trim().max(3),
      { type: 'string', len_min: 0, required: true },
    ],
    ['email stays with zod', z.email(), { type: 'string', len_min: 0, required: true }],
  ])('%s', (_name, schema, expected) => {
    expect(fieldOf(schema)).toEqual(expected);
  });

  it('passes on what only Kong knows, from any level of wrapping', () => {
    const meta = {
      referenceable: true,
      encrypted: true,
      match_none: [{ pattern: '^%s', err: 'no leading space' }],
      deprecation: { message: 'x: config.x is deprecated', removal_in_version: '4.0' },
    } satisfies KongMeta;
    expect(fieldOf(z.string().meta(meta).optional())).toEqual({ type: 'string', len_min: 0, ...meta });
    expect(fieldOf(z.string().optional().meta(meta))).toEqual({ type: 'string', len_min: 0, ...meta });
    expect(fieldOf(z.record(z.string().meta({ match: '^x' }), z.int()))).toMatchObject({
      keys: { match: '^x' },
    });
  });

  it.each<[string, z.ZodType, RegExp]>([
    ['match', z.string().meta({ match: '[abc' }), /config\.x: match: .*"\[abc".*missing '\]'/],
    ['not_match', z.string().optional().meta({ not_match: 'a%' }), /config\.x: not_match: .*ends with '%'/],
    [
      'match_all of the elements of an array of records',
      z.array(z.object({ y: z.string().meta({ match_all: [{ pattern: 'a' }, { pattern: '(b' }] }) })),
      /config\.x\.y: match_all: .*"\(b": unfinished capture/,
    ],
    [
      'match_any',
      z.string().meta({ match_any: { patterns: ['%1'] } }),
      /config\.x: match_any: .*capture index/,
    ],
    [
      'a pattern of an entity check',
      z.object({ a: z.string().optional(), b: z.string().optional() }).meta({
        entity_checks: [
          {
            conditional: {
              if_field: 'a',
              if_match: { match: '%f' },
              then_field: 'b',
              then_match: { eq: 'x' },
            },
          },
        ],
      }),
      /config\.x\..*match: .*missing '\['/,
    ],
  ])('refuses Lua patterns that are malformed, by field: %s', (_what, schema, text) => {
    expect(() => fieldOf(schema)).toThrow(kongTsError('PLUGIN_SCHEMA_UNSUPPORTED', text));
  });

  it('takes fields and defaults that are called like patterns', () => {
    const shape = { match: z.string().default('[abc'), match_all: z.array(z.string()).default(['(']) };
    expect(() => fieldsOf(shape)).not.toThrow();
  });

  it('keeps descriptions within what Kong takes', () => {
    expect(fieldOf(z.boolean().describe('How long to wait'))).toMatchObject({
      description: 'How long to wait',
    });
    expect(fieldOf(z.boolean().describe('short'))).not.toHaveProperty('description');
    const long = fieldOf(z.boolean().describe('é'.repeat(600))) as { description: string };
    expect(Buffer.byteLength(long.description)).toBeLessThanOrEqual(500);
    expect(long.description.endsWith('…')).toBe(true);
  });

  it('names the field and the alternatives of a type that Kong has not', () => {
    const nested = { queue: z.object({ at: z.array(z.date()) }) };
    expect(() => fieldsOf(nested)).toThrow(
      kongTsError('PLUGIN_SCHEMA_UNSUPPORTED', /config\.queue\.at\[\]: z\.date\(\).*z\.iso\.datetime\(\)/),
    );
    for (const schema of [
      z.union([z.string(), z.number()]),
      z.tuple([z.string()]),
      z.any(),
      z.bigint(),
      z.record(z.number(), z.string()),
      z.looseRecord(z.enum(['a']), z.string()),
      z.preprocess((value) => value, z.string()),
    ]) {
      expect(() => fieldOf(schema)).toThrow(/config\.x.*meta\(\{ kong:/);
    }
  });

  it.each(['required', 'default', 'one_of'])('refuses %s in meta, which says nothing to zod', (name) => {
    expect(() => fieldOf(z.string().meta({ [name]: false }))).toThrow(
      kongTsError('PLUGIN_SCHEMA_UNSUPPORTED', new RegExp(`config\\.x: \\.meta\\(\\{ ${name} \\}\\)`)),
    );
  });

  it('ends a schema that refers to itself', () => {
    const tree: z.ZodType = z.lazy(() => z.object({ children: z.array(tree) }));
    expect(() => fieldOf(tree)).toThrow(/unfold it to a fixed depth/);
  });

  it("takes a field in Kong's own language", () => {
    const kong = { type: 'array', elements: { type: 'string' } };
    expect(fieldOf(z.union([z.string(), z.array(z.string())]).meta({ kong }))).toEqual({
      ...kong,
      required: true,
    });
  });

  it('puts protocols and entity checks where Kong looks for them', () => {
    const config = z
      .object({ a: z.string().optional(), b: z.string().optional() })
      .meta({ entity_checks: [{ at_least_one_of: ['a', 'b'] }] });
    const { schema } = compilePlugin({
      name: 'test',
      version: '1.0.0',
      protocols: ['tcp', 'tls'],
      preread: () => undefined,
      config,
    });
    expect(schema.name).toBe('test');
    expect(schema.fields[0]).toEqual({
      protocols: {
        type: 'set',
        required: true,
        default: ['tcp', 'tls'],
        elements: { type: 'string', one_of: ['tcp', 'tls'] },
      },
    });
    expect(schema.fields[1]?.['config']).toMatchObject({
      required: true,
      entity_checks: [{ at_least_one_of: ['a', 'b'] }],
    });
  });
});

describe('what Kong would not start with', () => {
  const refusal = (config: z.ZodType): string => {
    try {
      compilePlugin({ name: 'p', version: '1.0.0', access: () => undefined, config });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return 'taken';
  };

  it.each([
    ['stringbool', z.stringbool().default(true)],
    ['a default after a transform', z.string().transform(Number).default(5)],
    ['a default out of range', z.number().min(10).default(5)],
    ['a default that the field changes', z.string().toLowerCase().default('A')],
    ['a default of the wrong enumeration', z.enum(['a']).default('b' as 'a')],
    ['an element of a default', z.array(z.int()).default([1.5])],
    ['a value of a default map', z.record(z.string(), z.int()).default({ a: 1.5 })],
    ['a set', z.set(z.string().min(2)).default(new Set(['a']))],
    [
      'a refined default',
      z
        .string()
        .refine((text) => text !== 'no')
        .default('no'),
    ],
    ['a loose object', z.looseObject({ a: z.string() })],
    ['a catchall', z.object({ a: z.string() }).catchall(z.string())],
    ['null in a map', z.record(z.string(), z.string().nullable())],
    [
      'a default that throws',
      z.string().default(() => {
        throw new Error('no vault');
      }),
    ],
    [
      'an inside that throws',
      z.lazy(() => {
        throw new Error('not yet');
      }),
    ],
    ['a field that zod drops', z.object({ ['__proto__']: z.string() })],
    ['a key that zod drops', z.record(z.enum(['__proto__', 'a']), z.string())],
    ['a field without a name', z.object({ '': z.string() })],
    ['a value that Kong wants although it may be absent', z.string().optional().meta({ eq: 'a' })],
  ])('is refused by the name of the field: %s', (_what, field) => {
    expect(refusal(z.object({ outer: z.object({ inner: field }) }))).toMatch(/config\.outer\.inner/);
  });

  it.each<[string, z.ZodType]>([
    ['a date as text', z.string().default(() => new Date().toISOString())],
    ['a date in words', z.string().default(() => Date())],
    ['milliseconds', z.int().default(() => Date.now())],
    ['a year', z.int().default(() => new Date().getFullYear())],
    ['minutes', z.int().prefault(() => new Date().getUTCMinutes())],
    ['a date in a list', z.array(z.string()).default(() => [new Date().toJSON()])],
  ])('is not a default that is made of the time: %s', (_what, schema) => {
    expect(fieldOf(schema)).not.toHaveProperty('default');
  });

  it('is a default of a date that stands still, and the clock goes on as before', () => {
    const { now } = Date;
    const day = z.string().default(() => new Date(Date.UTC(2026, 0, 1)).toISOString());
    expect(fieldOf(day)).toMatchObject({ default: '2026-01-01T00:00:00.000Z' });
    expect(Date.now).toBe(now);
    expect(Math.abs(Date.now() - new Date().getTime())).toBeLessThan(60_000);
  });

  it('is not what makes a default anew, replaces what is wrong, or goes through the field', () => {
    const config = z.object({
      id: z.string().default(() => crypto.randomUUID()),
      caught: z.int().catch(5),
      filled: z.string().transform(Number).prefault('5'),
    });
    expect(refusal(config)).toBe('taken');
  });

  it('says of objects that may be absent that they are not required', () => {
    const { schema } = compilePlugin({
      name: 'p',
      version: '1.0.0',
      access: () => undefined,
      config: z.object({
        a: z.object({ x: z.string().default('q') }).optional(),
        b: z.object({}).nullable(),
      }),
    });
    const fields = schema.fields[0]?.['config']?.['fields'] as Record<string, { required?: boolean }>[];
    expect(fields.map((field) => Object.values(field)[0]?.required)).toEqual([false, false]);
  });
});

describe('fields that are called like what every object has', () => {
  it.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty'])('may be absent: %s', (name) => {
    const plugin = compilePlugin({
      name: 'test',
      version: '1.0.0',
      access: () => undefined,
      config: z.object({ inner: z.object({ [name]: z.string().optional() }), [name]: z.int().default(3) }),
    });
    expect(plugin.parseConfig({ inner: {} })).toEqual({ inner: {}, [name]: 3 });
    expect(plugin.parseConfig({ inner: { [name]: 'x' }, [name]: 4 })).toEqual({
      inner: { [name]: 'x' },
      [name]: 4,
    });
  });
});
