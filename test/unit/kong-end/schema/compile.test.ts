import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KongTsError } from '../../../../src/base/errors.ts';
import { compileSchema } from '../../../../src/kong-end/schema/index.ts';
import type { FieldSchema, PlainObject, SchemaDefinition } from '../../../../src/kong-end/schema/index.ts';

interface Exchange {
  request: { method: string; path: string; body?: PlainObject };
  response: { body: PlainObject };
}
const recording = JSON.parse(
  readFileSync(new URL('../../../fixtures/kong/admin-api-3.9.3.json', import.meta.url), 'utf8'),
) as { exchanges: Exchange[] };
const recorded = (method: string, path: string): Exchange[] =>
  recording.exchanges.filter(({ request }) => request.method === method && request.path === path);

function configSchema(...fields: Record<string, FieldSchema>[]): ReturnType<typeof compileSchema> {
  return compileSchema({ name: 'p', fields: [{ config: { type: 'record', required: true, fields } }] });
}

function errorOf(field: FieldSchema, value: unknown): unknown {
  return compileSchema({ fields: [{ f: field }] }).process({ f: value }).errors?.['f'];
}

describe('the recorded http-log schema', () => {
  const definition = recorded('GET', '/schemas/plugins/http-log')[0]?.response
    .body as unknown as SchemaDefinition;
  const schema = compileSchema({ ...definition, name: 'http-log' });

  test('fills every default as Kong did', () => {
    const [accepted] = recorded('POST', '/plugins');
    const { value } = schema.process({ config: accepted?.request.body?.['config'] });
    expect(value?.['config']).toEqual(accepted?.response.body['config']);
    expect(value?.['protocols']).toEqual(accepted?.response.body['protocols']);
  });

  test('misses what Kong missed, in its words', () => {
    const refused = recorded('POST', '/plugins')[1];
    const result = schema.process({ config: {} });
    expect(result.errors).toEqual(refused?.response.body['fields']);
    expect('message' in result && result.message).toBe(refused?.response.body['message']);
  });

  test('checks nested fields, map keys and lists of choices', () => {
    const config = {
      http_endpoint: 'http://h/',
      method: 'GET',
      headers: { HOST: 'x' },
      queue: { max_batch_size: 0, initial_retry_delay: 0, concurrency_limit: 2, bogus: 1 },
    };
    expect(schema.process({ config }).errors).toEqual({
      config: {
        method: 'expected one of: POST, PUT, PATCH',
        headers: "cannot contain 'Host' header",
        queue: {
          max_batch_size: 'value should be between 1 and 1000000',
          initial_retry_delay: 'value should be between 0 and 1000000',
          concurrency_limit: 'expected one of: -1, 1',
          bogus: 'unknown field',
        },
      },
    });
  });
});

describe('types and validators', () => {
  test.each<[FieldSchema, unknown, unknown]>([
    [{ type: 'string' }, 1, 'expected a string'],
    [{ type: 'string' }, '', 'length must be at least 1'],
    [{ type: 'string', len_min: 0 }, '', undefined],
    [{ type: 'number' }, '1', 'expected a number'],
    [{ type: 'integer' }, 1.5, 'expected an integer'],
    [{ type: 'boolean' }, 'true', 'expected a boolean'],
    [{ type: 'array', elements: { type: 'string' } }, 'a', 'expected an array'],
    [{ type: 'array', elements: { type: 'string' } }, {}, undefined],
    [{ type: 'set', elements: { type: 'integer' } }, { a: 1 }, 'expected a set'],
    [{ type: 'set', elements: { type: 'integer' } }, [1, 'x', 2], [null, 'expected an integer']],
    [{ type: 'map', keys: { type: 'string' }, values: { type: 'integer' } }, 3, 'expected a map'],
    [{ type: 'map', keys: { type: 'string' }, values: { type: 'integer' } }, [3], 'expected a string'],
    [
      { type: 'map', keys: { type: 'integer' }, values: { type: 'integer' } },
      { 1: 3 },
      'expected an integer',
    ],
    [
      { type: 'map', keys: { type: 'string' }, values: { type: 'integer' } },
      { a: 'x' },
      'expected an integer',
    ],
    [{ type: 'record', fields: [{ a: { type: 'string' } }] }, 'x', 'expected a record'],
    [{ type: 'record', fields: [{ a: { type: 'string' } }] }, [1], { 1: 'unknown field' }],
    [{ type: 'foreign', reference: 'x' }, 'x', { id: 'missing primary key' }],
    [{ type: 'foreign', reference: 'x' }, { id: 'x' }, { id: 'expected a valid UUID' }],
    [{ type: 'foreign', reference: 'x', eq: null }, { id: 'x' }, 'value must be null'],
    [{ type: 'string', required: true }, null, 'required field missing'],
    [{ type: 'number', between: [1, 10] }, 11, 'value should be between 1 and 10'],
    [{ type: 'number', gt: 0.5 }, 0.5, 'value must be greater than 0.5'],
    [{ type: 'number', one_of: [1, 2.5] }, 3, 'expected one of: 1, 2.5'],
    [{ type: 'string', not_one_of: ['a', 'b'] }, 'a', 'must not be one of: a, b'],
    [{ type: 'string', eq: 'x' }, 'y', 'value must be x'],
    [{ type: 'string', ne: 'x' }, 'x', 'value must not be x'],
    [{ type: 'string', len_eq: 3 }, 'ab', 'length must be 3'],
    [{ type: 'string', len_max: 2 }, 'äö', 'length must be at most 2'],
    [{ type: 'array', elements: { type: 'string' }, len_min: 1 }, [], 'length must be at least 1'],
    [{ type: 'string', starts_with: '/' }, 'x', 'should start with: /'],
    [{ type: 'string', match: '^%u+$' }, 'get', 'invalid value: get'],
    [{ type: 'string', not_match: '%s' }, 'a b', 'invalid value: a b'],
    [{ type: 'string', match: '^a$', err: 'be a' }, 'b', 'be a'],
    [{ type: 'string', match_all: [{ pattern: 'a', err: 'no a' }] }, 'b', 'no a'],
    [{ type: 'string', match_none: [{ pattern: 'b', err: 'has b' }] }, 'b', 'has b'],
    [{ type: 'string', match_any: { patterns: ['^a', '^b'], err: 'a or b' } }, 'c', 'a or b'],
    [{ type: 'string', is_regex: true }, '(', 'not a valid regex: ('],
    [{ type: 'string', is_regex: true }, '^(?i)a++(?<n>b)$', undefined],
    [{ type: 'string', is_regex: true }, "(?U)a(?#b)\\Q(\\E(?i-s:x)(?'q'y)(?|z)(?R)?", undefined],
    [{ type: 'string', uuid: true }, 'x', 'expected a valid UUID'],
    [{ type: 'integer', timestamp: true }, 0, 'expected a valid timestamp'],
    [{ type: 'array', elements: { type: 'string' }, contains: 'a' }, ['b'], 'expected to contain: a'],
    [
      { type: 'set', elements: { type: 'string' }, mutually_exclusive_subsets: [['a', 'b'], ['c']] },
      ['a', 'c'],
      "these sets are mutually exclusive: ('a', 'b'), ('c')",
    ],
    [{ type: 'string', referenceable: true, len_eq: 3 }, '{vault://env/x}', undefined],
    [{ type: 'string', len_eq: 3 }, '{vault://env/x}', 'length must be 3'],
    [{ type: 'any' }, { anything: 1 }, undefined],
  ])('%j with %j: %j', (field, value, error) => {
    expect(errorOf(field, value)).toEqual(error);
  });
});

describe('defaults', () => {
  test('nested records get theirs, absent fields become null, sets lose duplicates', () => {
    const schema = configSchema(
      { a: { type: 'string' } },
      { n: { type: 'number', default: 0.5 } },
      { s: { type: 'set', elements: { type: 'string' }, default: {} } },
      { r: { type: 'record', required: true, fields: [{ x: { type: 'integer', default: 1 } }] } },
      { o: { type: 'record', fields: [{ x: { type: 'integer', default: 1 } }] } },
      {
        list: {
          type: 'array',
          elements: { type: 'record', fields: [{ y: { type: 'boolean', default: true } }] },
        },
      },
      { set: { type: 'set', elements: { type: 'string' } } },
    );
    expect(schema.process({ config: { list: [{}], set: ['a', 'a'] } }).value).toEqual({
      config: { a: null, n: 0.5, s: [], r: { x: 1 }, o: null, list: [{ y: true }], set: ['a'] },
    });
  });

  test('the input and the default itself stay untouched', () => {
    const schema = configSchema({ l: { type: 'array', elements: { type: 'string' }, default: ['a'] } });
    const first = schema.process({}).value as { config: { l: string[] } };
    first.config.l.push('b');
    expect(schema.process({}).value).toEqual({ config: { l: ['a'] } });
  });

  test('__proto__ is a key like any other', () => {
    const input = JSON.parse('{"config":{"m":{"__proto__":"x"},"__proto__":{"a":1}}}') as PlainObject;
    const schema = configSchema({ m: { type: 'map', keys: { type: 'string' }, values: { type: 'string' } } });
    const result = schema.process(input);
    expect(result.errors?.['config']).toHaveProperty(['__proto__']);
    expect(({} as PlainObject)['a']).toBeUndefined();
  });
});

describe('cross-field checks', () => {
  const check = (entity_checks: Record<string, unknown>[], input: PlainObject): unknown => {
    const fields = ['a', 'b', 'c'].map((name) => ({ [name]: { type: 'string' } }));
    const result = compileSchema({ fields, entity_checks }).process(input);
    return result.errors === undefined ? undefined : [result.errors, result.message];
  };
  test.each<[Record<string, unknown>, PlainObject, unknown]>([
    [{ at_least_one_of: ['a', 'b'] }, {}, "at least one of these fields must be non-empty: 'a', 'b'"],
    [
      { only_one_of: ['a', 'b'] },
      { a: '1', b: '2' },
      "exactly one of these fields must be non-empty: 'a', 'b'",
    ],
    [{ distinct: ['a', 'b'] }, { a: '1', b: '1' }, "values of these fields must be distinct: 'a', 'b'"],
    [{ mutually_required: ['a', 'b'] }, { a: '1' }, "all or none of these fields must be set: 'a', 'b'"],
    [
      { mutually_exclusive: ['a', 'b'] },
      { a: '1', b: '1' },
      "only one or none of these fields must be set: 'a', 'b'",
    ],
    [
      { mutually_exclusive_sets: { set1: ['a'], set2: ['b', 'c'] } },
      { a: '1', c: '1' },
      "these sets are mutually exclusive: ('a'), ('c')",
    ],
  ])('%j', (entityCheck, input, error) => {
    expect(check([entityCheck], input)).toEqual([
      { '@entity': [error] },
      `schema violation (${String(error)})`,
    ]);
  });

  test('conditional names both fields', () => {
    const rule = {
      conditional: {
        if_field: 'a',
        if_match: { match: '^redis$' },
        then_field: 'b',
        then_match: { required: true },
      },
    };
    expect(check([rule], { a: 'redis' })).toEqual([
      { '@entity': ["failed conditional validation given value of field 'a'"], b: 'required field missing' },
      "2 schema violations (failed conditional validation given value of field 'a'; b: required field missing)",
    ]);
    expect(check([rule], { a: 'other' })).toBeUndefined();
  });

  test('an unset vault reference does not fail a check', () => {
    const schema = compileSchema({
      fields: [{ a: { type: 'string', referenceable: true } }, { b: { type: 'string' } }],
      entity_checks: [{ mutually_exclusive: ['a', 'b'] }],
    });
    expect(schema.process({ a: '{vault://env/a}', b: 'x' }).errors).toBeUndefined();
  });
});

describe('shorthand fields', () => {
  test('a deprecated field stands for the path that replaces it', () => {
    const schema = compileSchema({
      fields: [
        { redis: { type: 'record', required: true, fields: [{ host: { type: 'string', default: 'h' } }] } },
      ],
      shorthand_fields: [
        { redis_host: { type: 'string', deprecation: { replaced_with: [{ path: ['redis', 'host'] }] } } },
      ],
    });
    expect(schema.process({ redis_host: 'x' }).value).toEqual({ redis: { host: 'x' } });
    expect(schema.process({ redis_host: 'x', redis: { host: 'y' } }).errors).toEqual({
      redis_host:
        'both deprecated and new field are used but their values mismatch: redis_host = x vs redis.host = y',
    });
  });
});

describe('a malformed schema', () => {
  test.each([
    [{ type: 'strnig' }, /'f' has the unknown type 'strnig'/],
    [{ type: 'array' }, /'f' is a list without 'elements'/],
    [{ type: 'map' }, /'f' is a map without 'keys' or 'values'/],
    [{ type: 'record' }, /'f' is a record without 'fields'/],
  ])('%j', (field, message) => {
    expect(() => compileSchema({ fields: [{ f: field }] })).toThrow(message);
    expect(() => compileSchema({ fields: [{ f: field }] })).toThrow(KongTsError);
  });
});

test('the summary shows nested errors as Kong does', () => {
  const schema = configSchema({
    q: { type: 'record', fields: [{ a: { type: 'integer' } }, { b: { type: 'integer' } }] },
  });
  const result = schema.process({ config: { q: { a: 'x', b: 'y' } } });
  expect('message' in result && result.message).toBe(
    'schema violation (config.q: {\n  a = "expected an integer",\n  b = "expected an integer"\n})',
  );
});
