import { describe, expect, it } from 'vitest';
import { kongTsError } from '../../support/errors.ts';
import { z } from 'zod';
import { compilePlugin } from '../../../src/plugin/define.ts';

function parser(config?: z.ZodType): (raw: unknown) => unknown {
  const definition = { name: 'test', version: '1.0.0', access: () => undefined };
  const plugin = compilePlugin(config === undefined ? definition : { ...definition, config });
  return (raw) => plugin.parseConfig(raw);
}

describe('parseConfig', () => {
  it('treats null as absent, and keeps it where the schema wants it', () => {
    const parse = parser(
      z.object({
        optional: z.string().optional(),
        preset: z.int().default(7),
        nullable: z.string().nullable(),
        nullish: z.string().nullish(),
        nested: z.object({ optional: z.boolean().optional() }).optional(),
        list: z.array(z.object({ a: z.int().default(1) })),
      }),
    );
    const sent = {
      optional: null,
      preset: null,
      nullable: null,
      nullish: null,
      nested: { optional: null },
      list: [{ a: null }],
    };
    expect(parse(sent)).toEqual({ preset: 7, nullable: null, nullish: null, nested: {}, list: [{ a: 1 }] });
    expect(parse({ list: [] })).toEqual({ preset: 7, nullable: null, list: [] });
  });

  it('builds sets and maps, and tells an empty Lua table by the schema', () => {
    const parse = parser(
      z.object({
        set: z.set(z.string()),
        map: z.map(z.string(), z.int()),
        list: z.array(z.string()),
        record: z.record(z.string(), z.string()),
        object: z.object({ a: z.int().default(1) }),
      }),
    );
    expect(parse({ set: ['a', 'a'], map: { b: 2 }, list: {}, record: [], object: [] })).toEqual({
      set: new Set(['a']),
      map: new Map([['b', 2]]),
      list: [],
      record: {},
      object: { a: 1 },
    });
  });

  it("drops Kong's notes about vault references at every level", () => {
    const parse = parser(
      z.strictObject({ a: z.strictObject({ b: z.string() }), c: z.record(z.string(), z.string()) }),
    );
    const notes = { $refs: { b: '{vault://env/b}' } };
    expect(parse({ a: { b: 'x', ...notes }, c: { d: 'e', ...notes }, ...notes })).toEqual({
      a: { b: 'x' },
      c: { d: 'e' },
    });
  });

  it('names every field that is wrong', () => {
    const parse = parser(
      z.strictObject({
        a: z.object({ b: z.array(z.int()) }),
        end: z.string().refine((value) => value.endsWith('.'), 'must end with a full stop'),
      }),
    );
    expect(() => parse({ a: { b: [1, 'x'] }, end: 'no', bogus: 1 })).toThrow(
      kongTsError(
        'CONFIG_INVALID',
        /^Plugin "test": config\.a\.b\[1\]: .*number.*; config\.end: must end with a full stop; config\.bogus: unknown field\.$/,
      ),
    );
  });

  it('reports refinements that are asynchronous or throw', () => {
    const asynchronous = parser(z.object({ a: z.string().refine(async () => true) }));
    const throwing = parser(
      z.object({
        a: z.string().refine(() => {
          throw new Error('broken check');
        }),
      }),
    );
    expect(() => asynchronous({ a: 'x' })).toThrow(/CONFIG_INVALID|must be synchronous/);
    expect(() => throwing({ a: 'x' })).toThrow(/broken check/);
  });

  it('takes no field where the plugin has no configuration', () => {
    const parse = parser();
    expect(parse(null)).toEqual({});
    expect(parse({ $refs: {} })).toEqual({});
    expect(() => parse({ a: 1 })).toThrow(/config\.a: unknown field/);
  });

  it('takes __proto__ as data', () => {
    const parse = parser(z.object({ record: z.record(z.string(), z.string()) }));
    const sent = JSON.parse('{"record": {"__proto__": "x", "a": "b"}}') as unknown;
    const parsed = parse(sent) as { record: Record<string, string> };
    expect(Object.getPrototypeOf(parsed.record)).toBe(Object.prototype);
    expect(parsed.record['a']).toBe('b');
  });
});
