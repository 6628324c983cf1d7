import { setTimeout as sleep } from 'node:timers/promises';
import type { Probe } from './probe.ts';

/** Resolves when a probe has seen nothing for a while, in milliseconds: timers of Kong's log phase run after the answer. */
export async function quiet(probe: Probe, ms = 40): Promise<void> {
  let seen = -1;
  while (seen !== probe.wire.length) {
    seen = probe.wire.length;
    await sleep(ms);
  }
}

/** Resolves when something is true, or with false when time, in milliseconds, is over. */
export async function within(ms: number, test: () => boolean): Promise<boolean> {
  const end = Date.now() + ms;
  while (!test()) {
    if (Date.now() > end) return false;
    await sleep(5);
  }
  return true;
}
