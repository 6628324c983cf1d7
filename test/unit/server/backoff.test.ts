import { expect, it } from 'vitest';
import { Backoff } from '../../../src/server/supervisor/backoff.ts';

it('does not wait at first, then doubles up to the limit, and starts over after a healthy run', () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 1000, healthyAfterMs: 10_000 });
  expect([1, 2, 3, 4, 5, 6, 7].map(() => backoff.next(50))).toEqual([0, 100, 200, 400, 800, 1000, 1000]);
  expect(backoff.next(20_000)).toBe(0);
  expect(backoff.next(0)).toBe(100);
});
