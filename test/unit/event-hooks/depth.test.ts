import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isDeeperThan } from '../../../src/base/json-depth.ts';

/** How deep arrays and objects lie within each other. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

it('the depth of a JSON text is that of its value, whatever its strings hold', () => {
  const text = fc
    .array(fc.constantFrom('\\', '"', '{', '[', ']', '}', 'a', '\n'), { maxLength: 12 })
    .map((all) => all.join(''));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      text,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, fc.nat(7), (data, max) => {
      expect(isDeeperThan(JSON.stringify(data), max)).toBe(depthOf(data) > max);
    }),
    { numRuns: 500 },
  );
});
