import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Phase } from '../../../src/pdk/names/phases.ts';
import { LogDeaths, withheldForMs } from '../../../src/server/supervisor/deaths.ts';

const config = Buffer.from('{}');
/** Instances 1, 11, 21 and so on are of the plugin `p1`. */
const recordOf = (id: number) => ({ id, name: `p${String(id % 10)}`, config, startedAt: 0 });
const event = (instance: number, phase: Phase = 'log') => ({
  instance,
  phase,
  ticket: 0,
  eventId: 0,
  ranForMs: 0,
});

test('the third death with log events of a configuration withholds them, whatever instances they had', () => {
  const deaths = new LogDeaths();
  expect(deaths.died([event(1)], recordOf, 0)).toEqual([]);
  expect(deaths.died([event(11), event(21)], recordOf, 1000)).toEqual([]);
  expect(deaths.died([event(31)], recordOf, 2000)).toEqual([
    { name: 'p1', config, until: 2000 + withheldForMs, what: 'log' },
  ]);
  expect(deaths.withheld(2000 + withheldForMs - 1)).toHaveLength(1);
  expect(deaths.withheld(2000 + withheldForMs)).toEqual([]);
  // It begins anew after that.
  expect(deaths.died([event(1)], recordOf, 13_000)).toEqual([]);
});

test('other phases, instances that nobody knows and deaths a minute apart do not count', () => {
  const deaths = new LogDeaths();
  for (let death = 0; death < 5; death++) {
    expect(deaths.died([event(1, 'access'), event(2)], () => null, death)).toEqual([]);
    expect(deaths.died([event(1, 'access')], recordOf, death)).toEqual([]);
    expect(deaths.died([event(3)], recordOf, death * 60_001)).toEqual([]);
  }
});

test('each death withholds one configuration, the youngest event first, until the guilty one is found', () => {
  const deaths = new LogDeaths();
  const both = [event(1), event(2)];
  deaths.died(both, recordOf, 0);
  deaths.died(both, recordOf, 1);
  expect(deaths.died(both, recordOf, 2).map(({ name }) => name)).toEqual(['p1']);
  expect(deaths.died([event(2)], recordOf, 3).map(({ name }) => name)).toEqual(['p2']);
});

test('an event that always kills is over after three deaths, beside whatever else', () => {
  const others = fc.array(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 6 }), { minLength: 20 });
  fc.assert(
    fc.property(others, (rounds) => {
      const deaths = new LogDeaths();
      let count = 0;
      for (const round of rounds) {
        const withheld = new Set(deaths.withheld(count).map(({ name }) => name));
        if (withheld.has('p9')) return;
        count++;
        const running = [9, ...round].filter((id) => !withheld.has(`p${String(id)}`));
        deaths.died(
          running.map((id) => event(id)),
          recordOf,
          count,
        );
      }
      expect(count).toBeLessThanOrEqual(3);
    }),
  );
});
