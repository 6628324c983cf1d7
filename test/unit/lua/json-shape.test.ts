import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildTable } from '../../../src/lua/json-shape.ts';

/** A Lua table with these members. */
const table = (...members: [string | number, unknown][]) => ({
  keys: members.map(([key]) => key),
  values: members.map(([, value]) => value),
});
/** A table with `filled` members, the last of them at `length`. */
const holed = (filled: number, length: number) =>
  table(...Array.from({ length: filled - 1 }, (_, at): [number, unknown] => [at + 1, true]), [length, true]);

describe('a Lua table', () => {
  it('with the keys from 1 on is an array, in whatever order Lua gives them', () => {
    expect(buildTable(table([3, 'c'], [1, 'a'], [2, 'b']), false)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['without members', table()],
    ['with a key that is text', table([1, 'a'], ['x', 'b'])],
    ['with the key 0', table([0, 'a'], [1, 'b'])],
    ['with a negative key', table([-1, 'a'])],
    ['with a key that is not whole', table([1, 'a'], [1.5, 'b'])],
    ['whose only key is a number as text', table(['1', 'a'])],
  ])('%s is an object', (_what, shape) => {
    expect(buildTable(shape, true)).toEqual(
      Object.fromEntries(shape.keys.map((key, at) => [key, shape.values[at]])),
    );
  });

  it('with the key __proto__ is an object that has it, and no other prototype', () => {
    const made = buildTable(table(['__proto__', { polluted: true }]), true) as object;
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
    expect(Object.hasOwn(made, '__proto__')).toBe(true);
  });

  it('with holes is an object, or an array with nulls where that is asked for', () => {
    expect(buildTable(table([1, 'a'], [3, 'c']), false)).toEqual({ 1: 'a', 3: 'c' });
    expect(buildTable(table([1, 'a'], [3, 'c']), true)).toEqual(['a', null, 'c']);
  });

  it.each([
    ['ten places may hold one member', 1, 10],
    ['eleven places need six', 6, 11],
    ['twenty places need ten', 10, 20],
  ])('is encoded by lua-cjson when it is short or half full: %s', (_what, filled, length) => {
    expect(buildTable(holed(filled, length), true)).toHaveLength(length);
    if (length === 10) return;
    expect(() => buildTable(holed(filled - 1, length), true)).toThrow(
      expect.objectContaining({
        code: 'LUA_FAILED',
        message: expect.stringContaining('excessively sparse') as string,
      }),
    );
  });

  it('keeps every member, whatever its keys are', () => {
    const keys = fc.uniqueArray(fc.oneof(fc.integer({ min: -3, max: 30 }), fc.string({ maxLength: 3 })), {
      selector: String,
      maxLength: 12,
    });
    fc.assert(
      fc.property(keys, (some) => {
        const shape = { keys: some, values: some.map((_, at) => at) };
        const made = buildTable(shape, false);
        const read = (key: string | number): unknown =>
          Array.isArray(made) ? made[Number(key) - 1] : Reflect.get(made as object, key);
        expect(some.map(read)).toEqual(shape.values);
      }),
    );
  });
});
