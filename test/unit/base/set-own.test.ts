import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setOwn } from '../../../src/base/set-own.ts';

describe('setOwn', () => {
  it('keeps __proto__ as a name like any other and leaves the prototype alone', () => {
    const object: Record<string, unknown> = {};
    setOwn(object, '__proto__', { polluted: true });
    expect(Object.keys(object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(object['polluted']).toBeUndefined();
    expect(JSON.stringify(object)).toBe('{"__proto__":{"polluted":true}}');
  });

  it('sets what an assignment would set, under every name', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '0')),
        (name) => {
          const object: Record<string, number> = {};
          setOwn(object, name, 1);
          setOwn(object, name, 2);
          expect(Object.getOwnPropertyDescriptor(object, name)).toEqual({
            value: 2,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        },
      ),
    );
  });
});
