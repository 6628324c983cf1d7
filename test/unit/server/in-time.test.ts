import { expect, it } from 'vitest';
import type { CompiledPlugin } from '../../../src/plugin/types.ts';
import type { RunningInstance } from '../../../src/server/connection/host.ts';
import { readyInTime, readyLimitMs } from '../../../src/server/worker/in-time.ts';
import { ManualClock } from '../../support/connection-host.ts';

const instance = (phaseTimeout: number): RunningInstance => ({
  id: 1,
  plugin: { phaseTimeout } as CompiledPlugin,
  handlers: { phases: {}, close: null },
  config: null,
  stats: {} as RunningInstance['stats'],
  usage: { events: 0, whenIdle: null, used: false },
});

/** What an event gets whose instance is ready after so many milliseconds; the instance itself, or what its handlers throw. */
async function after(milliseconds: number, ready: RunningInstance | null): Promise<unknown> {
  const clock = new ManualClock();
  let resolve: (instance: RunningInstance | null) => void = () => undefined;
  const promise = new Promise<RunningInstance | null>((set) => (resolve = set));
  const found = readyInTime(1, promise, clock);
  clock.advance(milliseconds);
  resolve(ready);
  const got = await found;
  expect(clock.timers).toBe(0);
  if (got === null || got === ready) return got;
  try {
    return await got.handlers.phases.access?.({}, null);
  } catch (thrown) {
    return String(thrown);
  }
}

it('an event gets its instance as soon as that is ready, or hears that it is unknown', async () => {
  const ready = instance(30_000);
  expect(await after(0, ready)).toBe(ready);
  expect(await after(readyLimitMs - 1, ready)).toBe(ready);
  expect(await after(1, null)).toBeNull();
});

it('an event that has waited too long fails while Kong still listens', async () => {
  expect(await after(readyLimitMs, instance(30_000))).toMatch(/was not ready 25 s after/);
});

it('waiting and a handler with a long limit end together before Kong gives up', async () => {
  const patient = instance(55_000);
  expect(await after(5000, patient)).toBe(patient);
  expect(await after(5001, patient)).toMatch(/was not ready 5 s after/);
});
