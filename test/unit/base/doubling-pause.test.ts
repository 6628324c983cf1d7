import { expect, it } from 'vitest';
import { DoublingPause } from '../../../src/base/doubling-pause.ts';

it('a pause doubles up to its limit, and begins anew once it has worked', () => {
  const pause = new DoublingPause(50, 300);
  expect([1, 2, 3, 4, 5].map(() => pause.next())).toEqual([50, 100, 200, 300, 300]);
  pause.reset();
  expect([pause.next(), pause.next()]).toEqual([50, 100]);
});

it('a limit below the first pause holds for it, too', () => {
  expect(new DoublingPause(50, 20).next()).toBe(20);
});
