import { expect, it } from 'vitest';
import { Maintenance } from '../../../src/event-hooks/dispatcher/maintenance.ts';
import type { Maintained } from '../../../src/event-hooks/dispatcher/maintenance.ts';
import { allOrNothing } from '../../../src/event-hooks/store/rights.ts';
import { silentLog } from '../../../src/event-hooks/log.ts';

/** A clock that is set, and whose only timer runs when it is told to. */
class SetClock {
  time = 1_700_000_000_000;
  #callback: () => void = () => undefined;
  readonly now = (): number => this.time;
  readonly random = (): number => 0;
  readonly setTimeout = (callback: () => void): number => {
    this.#callback = callback;
    return 1;
  };
  readonly clearTimeout = (): void => undefined;

  async turn(ms: number): Promise<void> {
    this.time += ms;
    this.#callback();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it('goes on to prune and to count when the clock has gone back', async () => {
  const clock = new SetClock();
  let epoch: number | null = 1;
  let prunings = 0;
  let counts = 0;
  const engine = {
    active: false,
    activate: (until: number) => (engine.active = until > 0),
    epochOf: () => epoch,
    groups: () => [],
    leave: () => [],
  };
  const maintenance = new Maintenance({
    options: { clock, log: silentLog, leaseMs: 5000, recordAgeMs: 1000, recordCount: 10 },
    store: { shared: false, lease: async () => allOrNothing(epoch), prune: async () => (prunings++, 0) },
    engine,
    takeOverChanges: async () => undefined,
    recount: async () => void (counts += 1),
  } as unknown as Maintained);
  await maintenance.start();
  expect(prunings).toBe(1);
  await clock.turn(500);
  expect(prunings).toBe(1);
  await clock.turn(-86_400_000);
  expect(prunings).toBe(2);
  epoch = null;
  await clock.turn(500);
  const before = counts;
  await clock.turn(500);
  expect(counts).toBe(before);
  await clock.turn(-86_400_000);
  expect(counts).toBe(before + 1);
  maintenance.stop();
});
