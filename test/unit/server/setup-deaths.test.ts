import { expect, test } from 'vitest';
import { SetupDeaths, withheldForMs } from '../../../src/server/supervisor/deaths.ts';

const record = (name: string, id = 1) => ({ id, name, config: Buffer.from('{}'), startedAt: 0 });

test('the second death in the setup of a configuration bars it for a while, whatever ids it had', () => {
  const deaths = new SetupDeaths();
  expect(deaths.died([record('a'), record('a', 2), record('b')], 0)).toEqual([]);
  const barred = { name: 'a', config: Buffer.from('{}'), until: 1000 + withheldForMs, what: 'setup' };
  expect(deaths.died([record('a', 3)], 1000)).toEqual([barred]);
  expect(deaths.withheld(1000 + withheldForMs - 1)).toEqual([barred]);
  expect(deaths.withheld(1000 + withheldForMs)).toEqual([]);
  // It begins anew after that.
  expect(deaths.died([record('a')], 20_000)).toEqual([]);
});

test('deaths a minute apart have nothing to do with each other', () => {
  const deaths = new SetupDeaths();
  for (let death = 0; death < 5; death++) expect(deaths.died([record('a')], death * 60_001)).toEqual([]);
});

test('no more than a thousand configurations are counted', () => {
  const deaths = new SetupDeaths();
  for (let each = 0; each <= 1000; each++) deaths.died([record(`p${String(each)}`)], 0);
  expect(deaths.died([record('p0')], 1)).toEqual([]);
  expect(deaths.died([record('p1000')], 1)).toHaveLength(1);
});
