import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/event-hooks/log.ts';
import type { Polled } from '../../../../src/kong-watch/watcher/poller.ts';
import { Poller } from '../../../../src/kong-watch/watcher/poller.ts';
import { unitsOf, UsualCost } from '../../../../src/kong-watch/watcher/usual-cost.ts';
import { KongTsError } from '../../../../src/base/errors.ts';

describe('what looks usually cost', () => {
  it('is at most what one took, and never more for an answer that came late', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ units: fc.integer({ min: 1, max: 50 }), late: fc.nat(60_000) }), {
          minLength: 1,
        }),
        (turns) => {
          const usual = new UsualCost();
          usual.of(1, 10);
          for (const { units, late } of turns.slice(0, 15)) {
            const took = 10 * units + late;
            const cost = usual.of(units, took);
            expect(cost).toBeLessThanOrEqual(took + 1e-6);
            expect(cost).toBeCloseTo(10 * units);
          }
        },
      ),
    );
  });

  it('follows a Kong that has become slower for good, up to what a unit can cost', () => {
    const usual = new UsualCost();
    usual.of(1, 2);
    for (let turn = 0; turn < 16; turn++) usual.of(1, 8);
    expect(usual.of(1, 8)).toBe(8);
    for (let turn = 0; turn < 16; turn++) usual.of(1, 1000);
    expect(usual.of(1, 1000)).toBe(10);
  });

  it('counts requests and what they bring', () => {
    expect(unitsOf({ requests: 3, entities: 1000 })).toBe(13);
    expect(new UsualCost().of(0, 100)).toBe(0);
  });
});

/** A loop whose time stands still but for what its turns take; it says when it wants to turn again. */
function loopOf(
  took: () => number,
  requests: number,
  turn: () => Promise<Polled> = () => Promise.resolve({ did: 'read' }),
): { loop: Poller; waits: number[] } {
  const waits: number[] = [];
  let asked = 0;
  let now = 0;
  const clock = {
    now: () => now,
    random: () => 0.5,
    setTimeout: (_: () => void, ms: number) => waits.push(ms),
    clearTimeout: () => undefined,
  };
  const loop = new Poller({
    clock,
    log: silentLog,
    what: 'Kong',
    intervalMs: 5000,
    untilDue: () => 5000,
    failed: () => undefined,
    elapsed: () => now,
    asked: () => ({ requests: asked, entities: 0 }),
    poll: async () => {
      asked += requests;
      now += took();
      return turn();
    },
  });
  return { loop, waits };
}

describe('the time between two looks', () => {
  it('is the interval after one that Kong answered late', async () => {
    let took = 50;
    const { loop, waits } = loopOf(() => took, 5);
    for (let turn = 0; turn < 4; turn++) await loop.now();
    took = 15_000;
    await loop.now();
    expect(waits.at(-1)).toBe(5000);
  });

  it('lets what is asked for begin at once after such a one', async () => {
    let took = 50;
    const { loop, waits } = loopOf(() => took, 5);
    for (let turn = 0; turn < 4; turn++) await loop.now();
    took = 15_000;
    await loop.now();
    void loop.soon();
    expect(waits.at(-1)).toBeLessThanOrEqual(50);
  });

  it('is no more than the interval after a first look that was late', async () => {
    const { loop, waits } = loopOf(() => 30_000, 5);
    await loop.now();
    expect(waits.at(-1)).toBe(5000);
  });

  it('is four times as long as a look at a large Kong takes each time', async () => {
    const { loop, waits } = loopOf(() => 10_000, 1000);
    for (let turn = 0; turn < 4; turn++) await loop.now();
    expect(waits.at(-1)).toBe(40_000);
  });

  it('stays the interval while Kong says nothing, so that it is read soon after it answers', async () => {
    const { loop, waits } = loopOf(
      () => 10_000,
      1,
      () => Promise.reject(new KongTsError('ADMIN_UNREACHABLE', 'no answer')),
    );
    for (let turn = 0; turn < 8; turn++) await loop.now();
    expect(new Set(waits)).toEqual(new Set([5000]));
  });
});
