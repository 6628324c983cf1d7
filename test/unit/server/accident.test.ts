import { expect, it } from 'vitest';
import { isAccident } from '../../../src/server/supervisor/accident.ts';

const killed = { killedFromOutside: true, silent: false, servedMs: 501, inARow: 2 };

it('a worker that is killed while it serves has died by accident', () => {
  expect(isAccident(killed)).toBe(true);
});

it.each([
  ['ended by itself', { killedFromOutside: false }],
  ['was blocked', { silent: true }],
  ['was killed as soon as it served', { servedMs: 500 }],
  ['was killed before it served', { servedMs: null }],
  ['was the tenth in a row', { inARow: 10 }],
])('a worker that %s has not', (_, death) => {
  expect(isAccident({ ...killed, ...death })).toBe(false);
});
