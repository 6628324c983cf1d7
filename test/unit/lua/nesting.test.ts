import { expect, it, onTestFinished } from 'vitest';
import { createLuaFunction } from '../../../src/lua/index.ts';

/** Values that nest so many levels deep: 1 is an empty table. */
const nested = (levels: number): unknown[] => (levels === 1 ? [] : [nested(levels - 1)]);
const depthOf = (value: unknown): number =>
  1 +
  (Array.isArray(value) ? (value as unknown[]) : Object.values(value as object))
    .map(depthOf)
    .reduce((a, b) => Math.max(a, b), 0);

it('tables cross in both directions down to the same depth, and no deeper', async () => {
  const build = await createLuaFunction('local t = {} for i = 2, ... do t = { t } end return t');
  const count = await createLuaFunction('local t, n = ..., 0 while t do n = n + 1 t = t[1] end return n');
  onTestFinished(() => {
    build.close();
    count.close();
  });
  const deepest = 101;
  expect(depthOf(build.call(deepest))).toBe(deepest);
  expect(count.call(nested(deepest))).toBe(deepest);
  expect(() => build.call(deepest + 1)).toThrow(expect.objectContaining({ code: 'LUA_FAILED' }));
  expect(() => count.call(nested(deepest + 1))).toThrow(expect.objectContaining({ code: 'LUA_FAILED' }));
});
