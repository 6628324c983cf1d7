import { expect, it } from 'vitest';
import { Engine } from '../../../src/event-hooks/delivery/engine.ts';
import { silentLog } from '../../../src/event-hooks/log.ts';
import type { Hook } from '../../../src/event-hooks/model/hook.ts';
import { MemoryStore } from '../../../src/event-hooks/store/memory.ts';
import type { AttemptResult, NewEvent } from '../../../src/event-hooks/store/types.ts';
import { ManualClock } from '../../event-hooks/support/clock.ts';

const hook: Hook = {
  id: 'h',
  source: 's',
  event: null,
  handler: 'log',
  config: {},
  created_at: 0,
  updated_at: 0,
} as unknown as Hook;

it('after the right to deliver was away, the store says what is left, not the queue', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const tried: string[] = [];
  let answer = (): void => undefined;
  const engine = new Engine({
    store,
    clock,
    log: silentLog,
    createHandler: () => ({
      target: null,
      attempt: ({ eventId }) => {
        tried.push(eventId);
        return new Promise((resolve) => {
          answer = () => {
            resolve({ ok: true, status: 200, error: null, response: null });
          };
        });
      },
      test: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    }),
    record: (result) => {
      void store.commit([], [result]).then(() => {
        engine.stored([result]);
      });
    },
    observe: () => undefined,
    fired: () => undefined,
    onGone: () => undefined,
    limits: { queueLength: 100, queueSize: 10_000, concurrency: 1 },
    targetConcurrency: 10,
    targetRate: null,
  });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const emit = async (...ids: string[]): Promise<void> => {
    const events = ids.map((id): NewEvent => ({
      id,
      source: 's',
      event: 'e',
      at: 0,
      payload: '{}',
      hooks: ['h'],
    }));
    engine.offer(events, await store.commit(events, []));
    await settled();
  };
  const elsewhere = (seq: number): AttemptResult => ({
    hookId: 'h',
    seq,
    state: 'delivered',
    attempts: 1,
    due: 0,
    finishedAt: 0,
    status: 200,
    latencyMs: 1,
    error: null,
    response: null,
  });
  const until = (): number => clock.now() + 5000;

  engine.setHooks([hook]);
  engine.activate(until());
  await settled();
  await emit('1', '2', '3');
  expect(tried).toEqual(['1']);
  engine.activate(0);
  await emit('4', '5');
  answer();
  await settled();
  await store.commit([], [elsewhere(3), elsewhere(4)]);
  expect(tried).toEqual(['1']);
  engine.activate(until());
  for (let n = 0; n < 4; n += 1) {
    await settled();
    answer();
  }
  await settled();
  // 2 was left behind by both; 3 and 4 were delivered elsewhere.
  expect(tried).toEqual(['1', '2', '5']);
  // A right that ran out unsaid: the same.
  await emit('6', '7');
  clock.advance(6000).catch(() => undefined);
  await settled();
  await emit('8');
  await store.commit([], [elsewhere(7), elsewhere(8)]);
  engine.activate(until());
  for (let n = 0; n < 4; n += 1) {
    answer();
    await settled();
  }
  expect(tried).toEqual(['1', '2', '5', '6']);
  await engine.stop(10);
});
