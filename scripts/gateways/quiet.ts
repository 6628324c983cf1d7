import { setTimeout as sleep } from 'node:timers/promises';
import type { Probe } from './probe.ts';

/** Between two looks, in milliseconds. */
const pauseMs = 5;

/** Resolves when a probe has seen nothing for a while, in milliseconds: timers of Kong's log phase run after the answer. */
export async function quiet(probe: Probe, ms = 40): Promise<void> {
  let seen = -1;
  while (seen !== probe.wire.length) {
    seen = probe.wire.length;
    await within(ms, () => seen !== probe.wire.length);
  }
}

/**
 * Resolves when something is true, or with false when time, in milliseconds, is over. Looks are counted, not the clock: a
 * machine that lets this process stand still takes nothing away from what it waits for.
 */
export async function within(ms: number, test: () => boolean): Promise<boolean> {
  for (let looks = 0; !test(); looks++) {
    if (looks * pauseMs >= ms) return false;
    await sleep(pauseMs);
  }
  return true;
}
