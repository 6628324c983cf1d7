import { beforeEach, expect, test } from 'vitest';
import type { BoundPlugin } from '../../../../src/kong-end/request/exchange.ts';
import type { PluginClient } from '../../../../src/kong-end/plugin-server/client.ts';
import { KongRaised, RpcFailure } from '../../../../src/kong-end/plugin-server/failure.ts';
import { RunningInstances } from '../../../../src/kong-end/plugin-server/instances.ts';

let instances: RunningInstances;
/** Milliseconds that somebody has slept, and who still does. */
let slept: number;
let sleepers: (() => void)[];

beforeEach(() => {
  slept = 0;
  sleepers = [];
  instances = new RunningInstances(
    () => undefined,
    (time) =>
      new Promise<void>((resolve) => {
        slept += time;
        sleepers.push(resolve);
      }),
  );
});

/** Lets everybody who sleeps wake, again and again. */
async function wake(times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    for (const sleeper of sleepers.splice(0)) sleeper();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const bound = (seq: number): BoundPlugin => ({
  entity: {
    id: 'one',
    name: 'p',
    instance_name: null,
    enabled: true,
    protocols: [],
    config: {},
    route: null,
    service: null,
    consumer: null,
    ws_id: 'w',
    created_at: 0,
    tags: null,
  },
  handler: {
    name: 'p',
    version: '1',
    priority: 1,
    protocol: 'msgpack',
    phases: new Set(),
    run: () => Promise.reject(new Error('not run')),
  },
  seq,
  key: 'plugins:p',
});

interface Server extends PluginClient {
  readonly starts: { answer(id: number | null): void; fail(error: Error): void }[];
  readonly closed: number[];
}

function server(): Server {
  const starts: Server['starts'] = [];
  const closed: number[] = [];
  return {
    starts,
    closed,
    startInstance: () => new Promise((resolve, reject) => starts.push({ answer: resolve, fail: reject })),
    closeInstance: (id) => Promise.resolve(void closed.push(id)),
    handleEvent: () => Promise.resolve(),
  };
}

test('the first request starts the instance, the others look for it every 100 ms', async () => {
  const to = server();
  const first = instances.idFor(bound(1), to);
  const second = instances.idFor(bound(1), to);
  await wake(3);
  expect([to.starts.length, slept]).toEqual([1, 400]);
  to.starts[0]?.answer(7);
  await expect(first).resolves.toBe(7);
  await wake(1);
  await expect(second).resolves.toBe(7);
});

test('a start that fails gives the claim up: the next request starts the instance', async () => {
  const to = server();
  const first = instances.idFor(bound(1), to);
  await wake(1);
  to.starts[0]?.fail(new RpcFailure('closed'));
  await expect(first).rejects.toThrow(KongRaised);
  const second = instances.idFor(bound(1), to);
  await wake(1);
  to.starts[1]?.answer(8);
  await expect(second).resolves.toBe(8);
});

test('a start in which Kong raises leaves the claim: later requests wait 10 s and cannot claim it', async () => {
  const to = server();
  const first = instances.idFor(bound(1), to);
  await wake(1);
  to.starts[0]?.fail(new KongRaised("attempt to index local 'data'"));
  await expect(first).rejects.toThrow('attempt to index');
  const second = instances.idFor(bound(1), to);
  const text = 'Could not claim instance_id for p (key: plugins:p)';
  const refused = expect(second).rejects.toThrow(text);
  await wake(150);
  await refused;
  expect([slept, to.starts.length]).toEqual([10_100, 1]);
  // Whoever waits longest has freed it.
  const third = instances.idFor(bound(1), to);
  await wake(1);
  to.starts[1]?.answer(9);
  await expect(third).resolves.toBe(9);
});

test('two changes that overlap lose the id for the first of them', async () => {
  const to = server();
  const started = instances.idFor(bound(1), to);
  await wake(1);
  to.starts[0]?.answer(1);
  await started;
  // The old instance takes its time to close.
  let close = (): void => undefined;
  to.closeInstance = () => new Promise<void>((resolve) => (close = resolve));
  const second = instances.idFor(bound(2), to);
  await wake(1);
  to.starts[1]?.answer(2);
  await wake(1);
  const third = instances.idFor(bound(3), to);
  await wake(1);
  close();
  await expect(second).resolves.toBeNull();
  to.starts[2]?.answer(3);
  await wake(1);
  close();
  await expect(third).resolves.toBe(3);
});

test('a reset drops the instances of that plugin, and a claim of a first start stays', async () => {
  const to = server();
  const first = instances.idFor(bound(1), to);
  await wake(1);
  instances.reset('p');
  const second = instances.idFor(bound(1), to);
  to.starts[0]?.answer(4);
  await first;
  await wake(1);
  await expect(second).resolves.toBe(4);
  instances.reset('p');
  void instances.idFor(bound(1), to);
  await wake(1);
  expect(to.starts).toHaveLength(2);
});
