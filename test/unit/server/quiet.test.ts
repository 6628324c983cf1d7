import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { Quiet } from '../../../src/server/watch/quiet.ts';

/** A clock that is moved by hand. */
function handClock(): Clock & { move(ms: number): void } {
  let now = 1000;
  let timer: { at: number; callback: () => void } | null = null;
  return {
    now: () => now,
    random: () => 0,
    setTimeout: (callback, ms) => (timer = { at: now + ms, callback }),
    clearTimeout: () => {
      timer = null;
    },
    move(ms) {
      now += ms;
      if (timer === null || timer.at > now) return;
      const { callback } = timer;
      timer = null;
      callback();
    },
  };
}

describe('Quiet', () => {
  it('calls once, when nothing more has happened for a while', () => {
    const clock = handClock();
    let calls = 0;
    const quiet = new Quiet(clock, 80, 500, () => calls++);
    for (let index = 0; index < 3; index++) {
      quiet.stir();
      clock.move(60);
    }
    expect(calls).toBe(0);
    clock.move(20);
    expect(calls).toBe(1);
    clock.move(1000);
    expect(calls).toBe(1);
  });

  it('does not wait for ever where it never becomes quiet', () => {
    const clock = handClock();
    let calls = 0;
    const quiet = new Quiet(clock, 80, 500, () => calls++);
    for (let index = 0; index < 20; index++) {
      quiet.stir();
      clock.move(50);
    }
    // Twice in a second.
    expect(calls).toBe(2);
  });

  it('calls nobody once it is stopped', () => {
    const clock = handClock();
    let calls = 0;
    const quiet = new Quiet(clock, 80, 500, () => calls++);
    quiet.stir();
    quiet.stop();
    clock.move(1000);
    expect(calls).toBe(0);
  });
});
