import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AwakeClock } from '../../../src/server/supervisor/awake-clock.ts';

/** A clock of a process that turns its event loop after each of the times. */
function awakeAfter(...turnsMs: number[]): number {
  let now = 1_000_000;
  const clock = new AwakeClock(() => now);
  const before = clock.now();
  for (const turn of turnsMs) {
    now += turn;
    clock.look();
  }
  clock.stop();
  return clock.now() - before;
}

it('runs while the process turns its event loop, also between two turns', () => {
  expect(awakeAfter(100, 100, 150, 100)).toBe(450);
  let now = 0;
  const clock = new AwakeClock(() => now);
  now = 70;
  expect(clock.now()).toBe(70);
  clock.stop();
});

it('stands still while the process is stopped or gets no processor', () => {
  expect(awakeAfter(100, 30_000)).toBe(300);
  let now = 0;
  const clock = new AwakeClock(() => now);
  now = 30_000;
  // A worker's end may be heard before the clock has looked.
  expect(clock.now()).toBe(200);
  clock.stop();
});

it('never goes back, and never ahead of the time that has passed', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5000)), (turns) => {
      let now = 0;
      const clock = new AwakeClock(() => now);
      let last = clock.now();
      for (const turn of turns) {
        now += turn;
        const read = clock.now();
        clock.look();
        expect(clock.now()).toBe(read);
        expect(read).toBeGreaterThanOrEqual(last);
        expect(read).toBeLessThanOrEqual(now);
        last = read;
      }
      clock.stop();
    }),
  );
});
