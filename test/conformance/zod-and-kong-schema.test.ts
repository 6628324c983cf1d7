import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compilePlugin } from '../../src/plugin/define.ts';
import { compileSchema, luaMatches } from '../../src/kong-end/schema/index.ts';
import type { SchemaDefinition } from '../../src/kong-end/schema/index.ts';
import { luaPattern } from '../../src/plugin/schema/lua-pattern.ts';

/** A random zod type with values that are often, not always, of it. ASCII only: Kong counts bytes. */
interface Case {
  schema: z.ZodType;
  value: fc.Arbitrary<unknown>;
}

const ascii = fc.string({ maxLength: 6 });
const anything = fc.oneof(
  ascii,
  fc.integer({ min: -20, max: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -20, max: 20 }),
  fc.boolean(),
  fc.constant(null),
  fc.array(ascii, { maxLength: 3 }),
);
const mostly = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: anything });

const range = fc
  .tuple(fc.integer({ min: -10, max: 10 }), fc.integer({ min: 0, max: 10 }))
  .map(([low, width]) => ({ low, high: low + width }));
const around = fc.integer({ min: -20, max: 20 });

const leaf: fc.Arbitrary<Case> = fc.oneof(
  fc.constant({ schema: z.string(), value: mostly(ascii) }),
  fc.tuple(fc.nat(3), fc.nat(3)).map(([min, more]) => ({
    schema: z
      .string()
      .min(min)
      .max(min + more),
    value: mostly(ascii),
  })),
  fc.nat(3).map((length) => ({ schema: z.string().length(length), value: mostly(ascii) })),
  fc.constant({
    schema: z.string().startsWith('a').regex(/b+$/),
    value: mostly(fc.stringMatching(/^[ab]{0,4}$/)),
  }),
  fc.constant({ schema: z.boolean(), value: mostly(fc.boolean()) }),
  fc.constant({ schema: z.enum(['a', 'b', 'c']), value: mostly(fc.constantFrom('a', 'b', 'd')) }),
  fc.constant({ schema: z.literal([-1, 1]), value: mostly(fc.constantFrom(-1, 0, 1)) }),
  fc.constant({ schema: z.int(), value: mostly(around) }),
  range.map(({ low, high }) => ({ schema: z.int().min(low).max(high), value: mostly(around) })),
  range.map(({ low }) => ({ schema: z.int().min(low), value: mostly(around) })),
  range.map(({ low }) => ({ schema: z.int().lt(low), value: mostly(around) })),
  range.map(({ low, high }) => ({ schema: z.number().min(low).lt(high), value: mostly(around) })),
  range.map(({ low, high }) => ({ schema: z.number().gt(low).max(high), value: mostly(around) })),
  range.map(({ high }) => ({ schema: z.number().max(high), value: mostly(around) })),
  fc.constant({ schema: z.int().min(0).default(5), value: mostly(around) }),
  fc.constant({ schema: z.string().default('preset'), value: mostly(ascii) }),
);

/**
 * Kong sends null for a field that is not set, so parseConfig reads every null as absent. As an element of a list or
 * map, null is refused by Kong, as by zod itself.
 */
const isSet = (value: unknown): boolean => value !== null;

const { type } = fc.letrec<{ type: Case; maybe: Case }>((tie) => ({
  maybe: fc.oneof(
    tie('type'),
    tie('type').map(({ schema, value }) => ({ schema: schema.optional(), value })),
    tie('type').map(({ schema, value }) => ({ schema: schema.nullable(), value })),
  ),
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('type').map(({ schema, value }) => ({
      schema: z.array(schema).max(2),
      value: mostly(fc.array(value.filter(isSet), { maxLength: 3 })),
    })),
    tie('type').map(({ schema, value }) => ({
      schema: z.record(z.string().min(1), schema),
      value: mostly(fc.dictionary(ascii, value.filter(isSet), { maxKeys: 3 })),
    })),
    tie('type').map(({ schema, value }) => ({
      schema: z.partialRecord(z.enum(['k1', 'k2']), schema),
      value: mostly(fc.record({ k1: value, k2: value }, { requiredKeys: [] })),
    })),
    fc.array(tie('maybe'), { minLength: 1, maxLength: 3 }).map((members) => ({
      schema: z.strictObject(Object.fromEntries(members.map(({ schema }, i) => [`f${i}`, schema]))),
      value: mostly(
        fc.record(Object.fromEntries(members.map(({ value }, i) => [`f${i}`, value])), {
          requiredKeys: [],
        }),
      ),
    })),
  ),
}));

const config = fc.array(type, { minLength: 1, maxLength: 4 }).chain((members) =>
  fc.record({
    schema: fc.constant(
      z.strictObject(Object.fromEntries(members.map(({ schema }, i) => [`c${i}`, schema]))),
    ),
    input: fc.record(Object.fromEntries(members.map(({ value }, i) => [`c${i}`, value])), {
      requiredKeys: [],
    }),
  }),
);

describe('the zod schema and the Kong schema made from it', () => {
  it('accept the same configurations and make the same of them', () => {
    const seen = { both: 0, none: 0 };
    fc.assert(
      fc.property(config, ({ schema, input }) => {
        const plugin = compilePlugin({
          name: 'test',
          version: '1.0.0',
          access: () => undefined,
          config: schema,
        });
        const kong = compileSchema(plugin.schema as unknown as SchemaDefinition).process({
          config: structuredClone(input),
        });
        let direct: unknown;
        let refusal: unknown;
        try {
          direct = plugin.parseConfig(structuredClone(input));
        } catch (error) {
          refusal = error;
        }
        if (refusal === undefined) {
          expect(kong.errors).toBeUndefined();
          seen.both += 1;
        }
        if (kong.value === undefined) {
          seen.none += 1;
          return;
        }
        const sent = JSON.parse(JSON.stringify(kong.value['config'])) as unknown;
        const throughKong = plugin.parseConfig(sent);
        if (refusal === undefined) expect(throughKong).toEqual(direct);
      }),
      { numRuns: 1500, seed: 20261121 },
    );
    expect(seen.both).toBeGreaterThan(100);
    expect(seen.none).toBeGreaterThan(100);
  });

  it('translate a regular expression to a Lua pattern that finds the same', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '-',
      '\\d',
      '\\w',
      '[a-c]',
      '[^b]',
      '[a\\-]',
      '\\.',
      '.',
      '%',
      '\\D',
    );
    const quantifier = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}', '{1,}', '+?', '*?');
    const source = fc
      .tuple(
        fc.constantFrom('', '^'),
        fc.array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', '$'),
      )
      .map(([start, items, end]) => start + items.map((item) => item.join('')).join('') + end);
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'c', '1', '-', '.', '%', 'é', '\n'),
      maxLength: 6,
    });
    let translated = 0;
    fc.assert(
      fc.property(source, fc.array(text, { minLength: 5, maxLength: 5 }), (regex, texts) => {
        const pattern = luaPattern(new RegExp(regex));
        if (pattern === null) return;
        translated += 1;
        for (const one of texts) {
          const found = new RegExp(regex).test(one);
          const isAscii = !one.includes('é');
          // Kong must refuse nothing that zod takes; what it takes too much beyond ASCII, zod sees at StartInstance.
          if (found || isAscii) expect([one, luaMatches(one, pattern)]).toEqual([one, found]);
        }
      }),
      { numRuns: 1000, seed: 20261121 },
    );
    expect(translated).toBeGreaterThan(300);
  });
});
