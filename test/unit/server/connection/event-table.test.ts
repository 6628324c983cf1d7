import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventTable } from '../../../../src/server/connection/event-table.ts';

const file = new URL('../../../../src/server/connection/event-table.ts', import.meta.url).href;

/** Runs events through a table, sixteen at a time, and prints how far the old generation has grown meanwhile. */
const growth = `
import { getHeapSpaceStatistics } from 'node:v8';
import { EventTable } from '${file}';
const old = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space').space_used_size;
const table = new EventTable();
let counter = 0;
const some = (events) => {
  for (const end = counter + events; counter < end; counter++) {
    table.add({ id: counter * 256 + 3, state: new Array(20).fill(counter), more: { calls: [counter] } });
    if (counter >= 16) table.delete((counter - 16) * 256 + 3);
  }
};
some(10_000);
// What is there now moves to the old generation, where later events must not follow.
for (let i = 0; i < 3; i++) gc({ type: 'minor' });
const before = old();
let most = 0;
for (let i = 0; i < 20; i++) {
  some(10_000);
  most = Math.max(most, old() - before);
}
console.log(most);
`;

describe('the table of running events', () => {
  it('finds what a Map finds', () => {
    const steps = fc.array(fc.record({ add: fc.boolean(), pick: fc.nat(1000) }), { maxLength: 2000 });
    fc.assert(
      fc.property(steps, fc.nat(2 ** 24 - 1), fc.nat(255), (all, start, worker) => {
        const table = new EventTable<{ id: number }>();
        const model = new Map<number, { id: number }>();
        let counter = start;
        for (const { add, pick } of all) {
          if (add) {
            do counter = (counter + 1) % 2 ** 24;
            while (!table.hasPlaceFor(counter * 256 + worker));
            const event = { id: counter * 256 + worker };
            expect(model.has(event.id)).toBe(false);
            table.add(event);
            model.set(event.id, event);
          } else {
            const id = [...model.keys()][pick % Math.max(model.size, 1)] ?? pick;
            table.delete(id);
            model.delete(id);
          }
        }
        expect(table.size).toBe(model.size);
        for (const [id, event] of model) expect(table.get(id)).toBe(event);
        for (let near = -3; near < 3; near++) {
          const id = ((counter + near + 2 ** 24) % 2 ** 24) * 256 + worker;
          expect(table.has(id)).toBe(model.has(id));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('grows with the events that run, and tells ids apart that share a place', () => {
    const table = new EventTable<{ id: number }>();
    for (let counter = 0; counter < 5000; counter++) table.add({ id: counter * 256 });
    expect(table.size).toBe(5000);
    expect(table.get(4999 * 256)).toEqual({ id: 4999 * 256 });
    expect(table.hasPlaceFor((4999 + 2 ** 20) * 256)).toBe(false);
    expect(table.get((4999 + 2 ** 20) * 256)).toBeUndefined();
    table.delete((4999 + 2 ** 20) * 256);
    expect(table.size).toBe(5000);
  });

  it('leaves no garbage in the old generation', () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--no-warnings', '--input-type=module', '--eval', growth],
      { encoding: 'utf8' },
    );
    // A Map in its place: 10 MB and more.
    expect(Number(stdout.trim() || 'NaN'), stderr).toBeLessThan(1_000_000);
  });
});
