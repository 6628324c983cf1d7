import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KongTsError } from '../../src/base/errors.ts';
import { compilePlugin } from '../../src/plugin/define.ts';
import type { CompiledPlugin } from '../../src/plugin/types.ts';
import { compileSchema, schemaRefusals } from '../../src/kong-end/schema/index.ts';
import { pluginSchema } from '../../src/kong-end/entities/definitions/plugins.ts';

/**
 * What an absent field becomes, in zod and in Kong: optional, nullable, default, prefault, catch, transforms, partial,
 * required. Kong's side is the plugin's schema as Kong completes it: records are required where nothing else is said.
 */

interface Case {
  schema: z.ZodType;
  /** Values that the schema takes, as they stand in a configuration. */
  value: fc.Arbitrary<unknown>;
  /** Defaults, of which some do not fit. */
  preset: fc.Arbitrary<unknown>;
}

const word = fc.stringMatching(/^[a-z]{0,4}$/);
const small = fc.integer({ min: -3, max: 12 });

const leaf: fc.Arbitrary<Case> = fc.constantFrom<Case>(
  { schema: z.string(), value: word, preset: fc.oneof(word, small) },
  { schema: z.string().min(2), value: word, preset: word },
  { schema: z.string().toUpperCase(), value: word, preset: fc.constantFrom('ab', 'AB') },
  { schema: z.string().transform((text) => text.length), value: word, preset: fc.oneof(word, small) },
  { schema: z.stringbool(), value: fc.constantFrom('yes', 'no'), preset: fc.constantFrom(true, 'yes') },
  { schema: z.int().min(10), value: small, preset: small },
  { schema: z.number().refine((value) => value !== 7), value: small, preset: fc.constantFrom(6, 7) },
  { schema: z.boolean(), value: fc.boolean(), preset: fc.oneof(fc.boolean(), fc.constant('true')) },
  { schema: z.literal(true), value: fc.boolean(), preset: fc.boolean() },
  { schema: z.literal(['a', 'c']), value: fc.constantFrom('a', 'b'), preset: fc.constantFrom('a', 'b') },
  { schema: z.enum(['a', 'b']), value: fc.constantFrom('a', 'b'), preset: fc.constantFrom('a', 'c') },
  {
    schema: z.array(z.string()).max(1),
    value: fc.array(word, { maxLength: 2 }),
    preset: fc.array(word, { maxLength: 2 }),
  },
  {
    schema: z.record(z.string(), z.int()),
    value: fc.dictionary(word, small, { maxKeys: 2 }),
    preset: fc.dictionary(word, fc.oneof(small, word), { maxKeys: 2 }),
  },
);

type Wrap = (inner: Case, preset: unknown) => z.ZodType;
const wraps: Wrap[] = [
  ({ schema }) => schema,
  ({ schema }) => schema.optional(),
  ({ schema }) => schema.nullable(),
  ({ schema }) => schema.nullish(),
  ({ schema }) => z.nonoptional(schema.optional()),
  ({ schema }, preset) => schema.default(preset as never),
  ({ schema }, preset) => schema.default(preset as never).optional(),
  ({ schema }, preset) => schema.nullable().default(preset as never),
  ({ schema }, preset) => schema.prefault(preset as never),
  ({ schema }, preset) => schema.catch(preset as never),
];

interface Field {
  schema: z.ZodType;
  value: fc.Arbitrary<unknown>;
  preset: fc.Arbitrary<unknown>;
}

const wrapped = (inner: fc.Arbitrary<Case>): fc.Arbitrary<Field> =>
  inner.chain((one) =>
    fc
      .tuple(fc.constantFrom(...wraps), one.preset)
      .map(([wrap, preset]) => ({ schema: wrap(one, preset), value: one.value, preset: one.preset })),
  );

const shapes = (['object', 'partial', 'required'] as const).map((kind) => (shape: z.ZodRawShape) => {
  const object = z.strictObject(shape);
  if (kind === 'object') return object;
  return kind === 'partial' ? object.partial() : object.required();
});

function object(members: readonly Field[], make: (shape: z.ZodRawShape) => z.ZodType): Case {
  const named = Object.fromEntries(members.map((member, index) => [`f${index}`, member]));
  const part = (of: (member: Field) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc.record(Object.fromEntries(Object.entries(named).map(([name, member]) => [name, of(member)])), {
      requiredKeys: [],
    });
  return {
    schema: make(Object.fromEntries(Object.entries(named).map(([name, { schema }]) => [name, schema]))),
    value: part(({ value }) => value),
    preset: part(({ preset }) => preset),
  };
}

const nested: fc.Arbitrary<Case> = fc
  .tuple(fc.array(wrapped(leaf), { minLength: 1, maxLength: 2 }), fc.constantFrom(...shapes))
  .map(([members, make]) => object(members, make));

const config = fc
  .tuple(
    fc.array(wrapped(fc.oneof(leaf, leaf, nested)), { minLength: 1, maxLength: 3 }),
    fc.constantFrom(...shapes),
  )
  .chain(([members, make]) => {
    const { schema, value } = object(members, make);
    return fc.record({ schema: fc.constant(schema), input: value });
  });

function compiled(schema: z.ZodType): CompiledPlugin | KongTsError {
  try {
    return compilePlugin({ name: 'test', version: '1.0.0', access: () => undefined, config: schema });
  } catch (error) {
    if (error instanceof KongTsError) return error;
    throw error;
  }
}

/** Kong cannot tell absent from null: neither can this comparison. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item == null ? [] : [[key, withoutNothing(item)]])),
  );
}

/**
 * The input with what Kong has for what is not there: null where zod takes it, and for an object that zod wants, one
 * that is filled in from its members.
 */
function filledIn(schema: z.ZodType, input: unknown): unknown {
  const object = innermost(schema);
  if (!(object instanceof z.ZodObject) || typeof input !== 'object' || input === null) return input;
  const result: Record<string, unknown> = { ...input };
  for (const [key, field] of Object.entries<z.ZodType>(object.shape)) {
    if (result[key] === undefined && !z.strictObject({ field }).safeParse({}).success) {
      // A null that .catch() would replace is none that Kong leaves: it fills the object in.
      const isObject = innermost(field) instanceof z.ZodObject;
      if (isObject && !field.safeParse(null).success) result[key] = {};
      else if (isObject && hasOuterCatch(field)) result[key] = {};
      else if (field.safeParse(null).success) result[key] = null;
    }
    result[key] = filledIn(field, result[key]);
    if (result[key] === undefined) delete result[key];
  }
  return result;
}

/** The schema below all wrappers, for a value that is there. */
function innermost(schema: z.ZodType): z.ZodType {
  const inner = (schema._zod as unknown as { def: { innerType?: z.ZodType } }).def.innerType;
  return inner === undefined ? schema : innermost(inner);
}

/** Whether a catch, and no nullable, is what takes null. */
function hasOuterCatch(schema: z.ZodType): boolean {
  const { def } = schema._zod as unknown as { def: { type: string; innerType?: z.ZodType } };
  if (def.type === 'nullable' || def.innerType === undefined) return false;
  return def.type === 'catch' || hasOuterCatch(def.innerType);
}

describe('absent fields in zod and in Kong', () => {
  it('become the same, or the plugin is refused with the name of the field', () => {
    const seen = { same: 0, refused: 0, invalid: 0 };
    fc.assert(
      fc.property(config, ({ schema, input }) => {
        const plugin = compiled(schema);
        if (plugin instanceof KongTsError) {
          expect(plugin.code).toBe('PLUGIN_SCHEMA_UNSUPPORTED');
          expect(plugin.message).toMatch(/config\.f\d/);
          seen.refused += 1;
          return;
        }
        expect(schemaRefusals(plugin.schema)).toEqual([]);
        const kong = compileSchema(pluginSchema({ ...plugin, phases: [] })).process({
          config: structuredClone(input),
        });
        const direct = schema.safeParse(filledIn(schema, structuredClone(input)));
        if (kong.value === undefined) {
          // What .catch() would replace is refused by Kong before the plugin sees it.
          expect(direct.success && !hasCatch(schema)).toBe(false);
          seen.invalid += 1;
          return;
        }
        const sent = JSON.parse(JSON.stringify(kong.value['config'])) as unknown;
        if (!direct.success) {
          expect(() => plugin.parseConfig(sent)).toThrow();
          seen.invalid += 1;
          return;
        }
        expect(withoutNothing(plugin.parseConfig(sent))).toEqual(withoutNothing(direct.data));
        seen.same += 1;
      }),
      { numRuns: 1000, seed: 20261128 },
    );
    expect(seen.same).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
    expect(seen.invalid).toBeGreaterThan(50);
  });
});

function hasCatch(schema: z.ZodType): boolean {
  const { def } = schema._zod as unknown as { def: Record<string, unknown> & { type: string } };
  if (def.type === 'catch') return true;
  const inner = def['innerType'];
  if (inner !== undefined && hasCatch(inner as z.ZodType)) return true;
  const shape = def['shape'] as Record<string, z.ZodType> | undefined;
  return Object.values(shape ?? {}).some(hasCatch);
}
