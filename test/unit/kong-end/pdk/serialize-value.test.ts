import { describe, expect, test } from 'vitest';
import { editRecord } from '../../../../src/kong-end/pdk/serialize-value.ts';

const record = () => ({ request: { uri: '/' }, tries: [{ ip: '::1' }], client_ip: '::1' });

describe('a value of kong.log.set_serialize_value', () => {
  test.each([
    ['n', 'set', { n: 1 }],
    ['a.b', 'set', { a: { b: 1 } }],
    ['a\\.b', 'set', { 'a\\': { b: 1 } }],
    ['.a.b', 'set', { '.a': { b: 1 } }],
    ['a..b', 'set', { a: { '': { b: 1 } } }],
    ['a.', 'set', { a: { '': 1 } }],
    ['', 'set', { '': 1 }],
    ['.', 'set', { '.': 1 }],
    ['request.uri', 'add', {}],
    ['request.uri', 'replace', { request: { uri: 1 } }],
    ['request.other.x', 'replace', {}],
    ['request.n', 'add', { request: { uri: '/', n: 1 } }],
    ['tries.x', 'set', { tries: { 1: { ip: '::1' }, x: 1 } }],
  ] as const)('%j with mode %s goes where Kong 3.9.3 puts it', (key, mode, changed) => {
    const table = record();
    editRecord(table, { key, value: 1, mode });
    expect(JSON.parse(JSON.stringify(table))).toEqual({ ...record(), ...changed });
  });

  test('below what is not a table it is an error', () => {
    expect(() => editRecord(record(), { key: 'client_ip.x', value: 1, mode: 'replace' })).toThrow(
      "The key 'client_ip.x' could not be used as a serialize value. Subkey 'client_ip' is not a table.",
    );
  });

  test('a name of every object of JavaScript is a name', () => {
    const table = record();
    editRecord(table, { key: '__proto__.x', value: 1, mode: 'set' });
    expect(JSON.stringify(table)).toContain('"__proto__":{"x":1}');
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});
