import { expect, it } from 'vitest';
import { violations } from '../../fleet/faults/history.ts';
import type { Entry, Rules } from '../../fleet/faults/history.ts';

const rules: Rules = { afterMs: 10, inFlight: 2, snoozed: ['nap'], ordered: ['line'] };
const arrived = (event: string, at: number, hook = 'line', more: object = {}): Entry => ({
  what: 'arrived',
  at,
  until: at + 5,
  event,
  hook,
  target: `target of ${hook}`,
  node: 'a',
  ...more,
});
const acknowledged = (event: string, at: number): Entry => ({
  what: 'acknowledged',
  at,
  event,
  hooks: ['line', 'nap'],
});
const recorded = (event: string, seq: number, hook = 'line', state = 'delivered'): Entry => ({
  what: 'recorded',
  event,
  hook,
  seq,
  state,
});
const held = (node: string, epoch: number, name = 'leader'): Entry => ({
  what: 'held',
  at: 0,
  node,
  name,
  epoch,
});
const good: readonly Entry[] = [
  acknowledged('1', 0),
  acknowledged('2', 1),
  arrived('1', 100, 'nap'),
  arrived('1', 100),
  arrived('2', 110),
  { what: 'fault', at: 200, until: 300, kind: 'kill' },
  acknowledged('3', 250),
  arrived('3', 290),
  arrived('3', 305),
  recorded('1', 1),
  recorded('2', 2),
  recorded('3', 3),
  recorded('1', 1, 'nap'),
  held('a', 1),
  held('a', 1),
  held('b', 2),
];

it('a history that keeps the promises breaks none, doubles in the window of a fault included', () => {
  expect(violations(good, rules)).toEqual([]);
});

it.each<[string, Entry[], RegExp]>([
  [
    'an acknowledged event that never arrives',
    [acknowledged('4', 400)],
    /4 for line was acknowledged and never/,
  ],
  [
    'a delivery that nobody got',
    [recorded('9', 9)],
    /9 for line is delivered in the store and never arrived/,
  ],
  [
    'a delivery that does not end',
    [arrived('4', 400), recorded('4', 4, 'line', 'pending')],
    /is pending at the/,
  ],
  ['a double while nothing is broken', [arrived('1', 120)], /1 for line arrived twice while nothing/],
  [
    'a first attempt that overtakes',
    [arrived('5', 500), arrived('4', 510), recorded('4', 4), recorded('5', 5)],
    /4 for line arrived after 5 for line, which was stored later/,
  ],
  ['a second firing within a snooze', [arrived('2', 400, 'nap')], /nap fired 2 times/],
  ['an epoch that two nodes hold', [held('b', 1)], /epoch 1 was held by a for leader and by b for leader/],
  ['an epoch of two names', [held('a', 1, 'group')], /epoch 1 was held by/],
  [
    'more requests than the limit of their target',
    ['x', 'y', 'z'].map((id) => arrived(id, 400, 'many', { target: 'one' })),
    /3 requests were on their way to one/,
  ],
])('%s is refused', (_, planted, message) => {
  expect(violations([...good, ...planted], rules).join('\n')).toMatch(message);
});
