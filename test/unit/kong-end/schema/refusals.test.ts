import { describe, expect, it } from 'vitest';
import { pluginRefusals, schemaRefusals } from '../../../../src/kong-end/schema/index.ts';

const refusals = (field: Record<string, unknown>): string[] =>
  schemaRefusals({
    name: 'p',
    fields: [{ config: { type: 'record', fields: [{ f: field }] } }],
  }).map(({ path, reason }) => `${path}: ${reason}`);

describe('what Kong refuses of a schema when it starts', () => {
  it.each([
    [{ type: 'string', default: 5 }, 'config.f: default 5: expected a string'],
    [{ type: 'string', default: '' }, 'config.f: default : length must be at least 1'],
    [
      { type: 'integer', between: [10, 20], default: 5 },
      'config.f: default 5: value should be between 10 and 20',
    ],
    [{ type: 'string', one_of: ['a'], default: 'b' }, 'config.f: default b: expected one of: a'],
    [
      { type: 'array', elements: { type: 'string' }, default: ['a', 1] },
      'config.f[1]: default: expected a string',
    ],
    [{ type: 'string', required: true, default: null }, 'config.f: default null: required field missing'],
    [
      { type: 'string', match: '[', default: 'a' },
      'config.f: default a: error in schema prevents from validating this field',
    ],
    [{ type: 'set', elements: { type: 'string', default: 1 } }, 'config.f[]: default 1: expected a string'],
    [
      { type: 'record', fields: [{ g: { type: 'boolean', default: 1 } }] },
      'config.f.g: default 1: expected a boolean',
    ],
    [
      { type: 'record', fields: [{ g: { type: 'string' } }], default: { h: 1 } },
      'config.f.h: default: unknown field',
    ],
    [{ type: 'string', description: 'short' }, 'config.f: description: length must be at least 10'],
    [{ type: 'string', colour: 'red' }, 'config.f: colour: unknown field'],
    [{ type: 'boolean', one_of: [true] }, "config.f: field of type 'boolean' cannot have attribute 'one_of'"],
    [{ type: 'array' }, "config.f: field of type 'array' must declare 'elements'"],
    [{ type: 'map', keys: { type: 'string' } }, "config.f: field of type 'map' must declare 'values'"],
    [{ type: 'number', between: [1] }, 'config.f: between: length must be 2'],
    [{}, 'config.f: missing type declaration'],
    [{ type: 'string', len_min: 'a' }, 'config.f: len_min: expected an integer'],
    [
      { type: 'string', deprecation: { message: 'gone' } },
      'config.f: deprecation: removal_in_version: required field missing',
    ],
    [
      { type: 'record', fields: [], entity_checks: [{ one_or_none_of: [] }] },
      'config.f: entity_checks: one_or_none_of: unknown field',
    ],
  ])('%j', (field, text) => {
    expect(refusals(field)).toContain(text);
  });

  it('is nothing where Kong starts', () => {
    expect(refusals({ type: 'string', required: true, default: 'a', len_min: 1 })).toEqual([]);
    expect(
      refusals({ type: 'record', required: false, fields: [{ g: { type: 'string', required: true } }] }),
    ).toEqual([]);
    expect(refusals({ type: 'array', elements: { type: 'string' }, default: [null] })).toEqual([]);
  });

  it('is a field that plugins do not have, another type of one they have, and what a dump cannot hold', () => {
    const of = (...fields: object[]): string[] =>
      schemaRefusals({ name: 'p', fields }).map(({ path, reason }) => `${path}: ${reason}`);
    expect(of({ colour: { type: 'string' } })).toEqual(['colour: cannot create a new field']);
    expect(of({ config: { type: 'string' } })).toEqual(['config: cannot change type in a specialized field']);
    expect(schemaRefusals({ name: 'p', fields: [], shorthand_fields: [] })).toEqual([
      { path: 'shorthand_fields', reason: 'unknown field' },
    ]);
    expect(schemaRefusals(null)).toEqual([{ path: '', reason: 'is not an object' }]);
    let deep: object = { type: 'string' };
    for (let level = 0; level < 20_000; level += 1) deep = { type: 'array', elements: deep };
    expect(of({ config: deep })).not.toEqual([]);
  });

  it('is a version or priority that it cannot read', () => {
    const schema = { name: 'p', fields: [] };
    expect(pluginRefusals({ version: '1.0.0', priority: 1, schema })).toEqual([]);
    expect(pluginRefusals({ version: '1.0.0.1', priority: 1.5, schema })).toHaveLength(2);
  });
});
