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
  const { epochs } = await store.lease('me', clock.now(), 1_000_000);
  const epoch = epochs.get('*') ?? 0;
  const elsewhere = (seq: number): AttemptResult => ({
    hookId: 'h',
    seq,
    epoch,
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
  engine.activate(until(), epochs);
  await settled();
  await emit('1', '2', '3');
  expect(tried).toEqual(['1']);
  engine.activate(0, new Map());
  await emit('4', '5');
  answer();
  await settled();
  await store.commit([], [elsewhere(3), elsewhere(4)]);
  expect(tried).toEqual(['1']);
  engine.activate(until(), epochs);
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
  engine.activate(until(), epochs);
  for (let n = 0; n < 4; n += 1) {
    answer();
    await settled();
  }
  expect(tried).toEqual(['1', '2', '5', '6']);
  await engine.stop(10);
});

it('a result of an epoch that has passed ends the right to deliver, and the delivery is the next owner’s', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const answers: (() => void)[] = [];
  const recorded: AttemptResult[] = [];
  const engine = new Engine({
    store,
    clock,
    log: silentLog,
    createHandler: () => ({
      target: null,
      attempt: () =>
        new Promise((resolve) =>
          answers.push(() => {
            resolve({ ok: false, status: 500, error: 'no', response: null });
          }),
        ),
      test: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    }),
    record: (result) => recorded.push(result),
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
  engine.setHooks([hook]);
  const first = (await store.lease('me', clock.now(), 5000)).epochs;
  engine.activate(clock.now() + 1_000_000, first);
  const event = { id: '1', source: 's', event: 'e', at: 0, payload: '{}', hooks: ['h'] };
  engine.offer([event], await store.commit([event], []));
  await settled();
  expect(answers).toHaveLength(1);
  // This process stood still; another one has delivered and gone. The attempt that was on its way ends under a third epoch.
  await store.release('me');
  const second = (await store.lease('other', clock.now(), 5000)).epochs;
  await store.commit([], [{ ...recordedBy(second.get('*') ?? 0), seq: 1 }]);
  answers[0]?.();
  await settled();
  expect(recorded).toMatchObject([{ epoch: first.get('*'), state: 'waiting' }]);
  const fenced: AttemptResult[] = [];
  await store.commit([], recorded, { fenced: (result) => fenced.push(result) });
  expect(fenced).toEqual(recorded);
  expect(engine.active).toBe(true);
  engine.fenced(fenced);
  expect(engine.active).toBe(false);
  expect(await store.delivery('h', '1')).toMatchObject({ state: 'delivered', attempts: 1 });
  // A later fencing of the old epoch says nothing about the new one.
  await store.release('other');
  engine.activate(clock.now() + 5000, (await store.lease('me', clock.now(), 5000)).epochs);
  engine.fenced(fenced);
  expect(engine.active).toBe(true);
  await engine.stop(10);
});

it('a delivery that the store gives while its hook is changed is made by the hook as it is now', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  let asked = 0;
  const take = store.takeDue.bind(store);
  store.takeDue = async (...words) => {
    const taken = await take(...words);
    asked += 1;
    if (taken.length > 0) await given;
    return taken;
  };
  const tried: string[] = [];
  const engine = new Engine({
    store,
    clock,
    log: silentLog,
    createHandler: () => ({
      target: null,
      attempt: async ({ eventId }) => {
        tried.push(eventId);
        return { ok: true, status: 200, error: null, response: null };
      },
      test: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    }),
    record: (result) => void store.commit([], [result]).then(() => engine.stored([result])),
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
  engine.setHooks([hook]);
  engine.activate(clock.now() + 1_000_000, (await store.lease('me', clock.now(), 1_000_000)).epochs);
  await settled();
  const event = { id: '1', source: 's', event: 'e', at: 0, payload: '{}', hooks: ['h'] };
  engine.offer([event], await store.commit([event], []));
  await settled();
  expect(tried).toEqual(['1']);
  asked = 0;
  await store.replay({ hookId: 'h', size: 1 }, clock.now());
  engine.lookForDue('h');
  await expect.poll(() => asked).toBeGreaterThan(0);
  engine.setHooks([{ ...hook, updated_at: 1 }]);
  await settled();
  give();
  await settled();
  expect(tried).toEqual(['1', '1']);
  await engine.stop(10);
});

function recordedBy(epoch: number): AttemptResult {
  return {
    hookId: 'h',
    seq: 0,
    epoch,
    state: 'delivered',
    attempts: 1,
    due: 0,
    finishedAt: 0,
    status: 200,
    latencyMs: 1,
    error: null,
    response: null,
  };
}

it('a delivery that ends while the store is read is not made again by what was read', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  let give = (): void => undefined;
  const pending = store.pending.bind(store);
  store.pending = async (...words) => {
    const found = await pending(...words);
    if (found.length > 0) await new Promise<void>((resolve) => (give = resolve));
    return found;
  };
  const tried: string[] = [];
  let answer = (): void => undefined;
  const engine = new Engine({
    store,
    clock,
    log: silentLog,
    createHandler: () => ({
      target: null,
      attempt: async ({ eventId }) => {
        tried.push(eventId);
        await new Promise<void>((resolve) => (answer = resolve));
        return { ok: true, status: 200, error: null, response: null };
      },
      test: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    }),
    record: (result) => void store.commit([], [result]).then(() => engine.stored([result])),
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
  const hook = { id: 'h', source: 's', event: null, handler: 'log', config: {} } as unknown as Hook;
  await store.saveHook(hook);
  engine.setHooks([hook]);
  engine.activate(clock.now() + 1_000_000, (await store.lease('me', clock.now(), 1_000_000)).epochs);
  await settled();
  const event = { id: '1', source: 's', event: 'e', at: 0, payload: '{}', hooks: ['h'] };
  engine.offer([event], await store.commit([event], []));
  await settled();
  expect(tried).toEqual(['1']);
  engine.lookAgain();
  await settled();
  answer();
  await settled();
  give();
  await settled();
  expect(tried).toEqual(['1']);
  // Another one is read, and even made, before this process hears that its own commit has gone through.
  const next = { ...event, id: '2' };
  const seqs = await store.commit([next], []);
  engine.lookAgain();
  for (const step of [() => undefined, () => give(), () => answer()]) {
    step();
    await settled();
  }
  engine.offer([next], seqs);
  for (const step of [() => answer(), () => answer()]) {
    step();
    await settled();
  }
  expect(tried).toEqual(['1', '2']);
  await engine.stop(10);
});

/** An engine whose one hook ends its attempts when the test says so, with a right to everything. */
async function oneHook(store: MemoryStore, clock: ManualClock) {
  const tried: string[] = [];
  const ends: ((isOk: boolean) => void)[] = [];
  const engine = new Engine({
    store,
    clock,
    log: silentLog,
    createHandler: () => ({
      target: null,
      attempt: async ({ eventId }) => {
        tried.push(eventId);
        const ok = await new Promise<boolean>((resolve) => ends.push(resolve));
        return { ok, status: ok ? 200 : 500, error: null, response: null };
      },
      test: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    }),
    record: (result) => {
      const fenced: AttemptResult[] = [];
      void store.commit([], [result], { fenced: (one) => fenced.push(one) }).then(() => {
        if (fenced.length > 0) engine.fenced(fenced);
        else engine.stored([result]);
      });
    },
    observe: () => undefined,
    fired: () => undefined,
    onGone: () => undefined,
    schedule: [1, 1],
    limits: { queueLength: 100, queueSize: 10_000, concurrency: 1 },
    targetConcurrency: 10,
    targetRate: null,
  });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const have = async (owner: string): Promise<void> => {
    const { epochs } = await store.lease(owner, clock.now(), 1_000_000);
    if (owner === 'me') engine.activate(clock.now() + 1_000_000, epochs);
    await settled();
  };
  await store.saveHook(hook);
  engine.setHooks([hook]);
  await have('me');
  const event = { id: '1', source: 's', event: 'e', at: 0, payload: '{}', hooks: ['h'] };
  engine.offer([event], await store.commit([event], []));
  await settled();
  return { engine, tried, ends, settled, have };
}

it('a retry that the store has given is made although the answer that gave it was lost', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const { engine, tried, ends, settled } = await oneHook(store, clock);
  const take = store.takeDue.bind(store);
  let lost = 0;
  store.takeDue = async (...words) => {
    const taken = await take(...words);
    if (taken.length === 0 || lost > 0) return taken;
    lost += 1;
    throw new Error('the connection was cut');
  };
  ends[0]?.(false);
  await settled();
  for (let second = 0; second < 4; second += 1) {
    await clock.advance(1000);
    await settled();
  }
  ends[1]?.(true);
  await settled();
  expect(lost).toBe(1);
  expect(tried).toEqual(['1', '1']);
  await engine.stop(10);
});

it('a delivery whose result was fenced is made again by the process that has the right again', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const { engine, tried, ends, settled, have } = await oneHook(store, clock);
  // Another process had the right meanwhile and ended before it made the delivery.
  await store.release('me');
  await have('other');
  await store.release('other');
  await have('me');
  expect(tried).toEqual(['1']);
  ends[0]?.(true);
  await settled();
  expect(tried).toEqual(['1', '1']);
  ends[1]?.(true);
  await settled();
  expect(await store.unfinished()).toEqual(new Map([['h', 0]]));
  await engine.stop(10);
});
