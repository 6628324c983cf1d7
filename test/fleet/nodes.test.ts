import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createDispatcher } from '../../src/event-hooks/index.ts';
import { memoryLog } from '../event-hooks/support/setup.ts';
import { watchPort } from '../../src/event-hooks/serve/watch-port.ts';
import { Receiver } from '../event-hooks/support/receiver.ts';
import { PostgresServer } from '../support/postgres/server.ts';

let server: PostgresServer;
let schemas = 0;
beforeAll(async () => {
  server = await PostgresServer.start({ fsync: 'off' });
});
afterAll(() => server.remove());

type Node = Awaited<ReturnType<typeof createDispatcher>>;

/** So many nodes on one new schema. */
async function fleet(
  size: number,
  options: object = {},
): Promise<{ nodes: Node[]; add: () => Promise<Node> }> {
  const store = server.url('postgres', `?schema=fleet_${String(++schemas)}`);
  const add = async (): Promise<Node> => {
    const node = await createDispatcher({
      store,
      allowLoopback: true,
      leaseMs: 20_000,
      log: memoryLog(),
      ...options,
    });
    onTestFinished(() => node.stop(500));
    return node;
  };
  const nodes: Node[] = [];
  for (let n = 0; n < size; n += 1) nodes.push(await add());
  return { nodes, add };
}
async function receivers(count: number): Promise<Receiver[]> {
  const made = await Promise.all(Array.from({ length: count }, () => Receiver.start()));
  onTestFinished(async () => {
    await Promise.all(made.map((one) => one.close()));
  });
  return made;
}
const hookTo = (receiver: Receiver, more: object = {}): object => ({
  source: 's',
  handler: 'webhook',
  config: { url: receiver.url('/in') },
  ...more,
});
let ids = 0;
const event = (data: object = {}) => ({
  id: `e-${String(++ids)}`,
  source: 's',
  event: 'e',
  at: Date.now(),
  data: JSON.stringify(data),
});
const epochs = ({ engine }: Node): (number | null)[] => engine.groups().map((group) => engine.epochOf(group));
const owned = (node: Node): number => epochs(node).filter((epoch) => epoch !== null).length;
const idsAt = (receiver: Receiver): string[] =>
  receiver.at('/in').map(({ headers }) => String(headers['webhook-id']));

it('a hook that one node makes is in effect on all, and each event is delivered once whoever takes it in', async () => {
  const { nodes } = await fleet(3);
  const targets = await receivers(4);
  for (const target of targets) await nodes[0]?.createHook(hookTo(target));
  await vi.waitFor(() => {
    for (const node of nodes) expect(node.hooks.list()).toHaveLength(4);
  }, 5000);
  for (let n = 0; n < 60; n += 1) await nodes[n % 3]?.accept([event({ n })]);
  await Promise.all(targets.map((target) => target.until('/in', 60)));
  for (const target of targets) expect(new Set(idsAt(target)).size).toBe(60);
  for (const node of nodes) await node.outbox.flush();
  for (const target of targets) expect(idsAt(target)).toHaveLength(60);
});

it('targets spread over the nodes, and a node that comes later gets its share', async () => {
  const { nodes, add } = await fleet(2);
  for (const target of await receivers(6)) await nodes[0]?.createHook(hookTo(target));
  await vi.waitFor(() => expect(nodes.map(owned).sort()).toEqual([3, 3]), 10_000);
  nodes.push(await add());
  await vi.waitFor(() => expect(nodes.map(owned)).toEqual([2, 2, 2]), 10_000);
  // No target has two owners, and each change of owner has raised its epoch.
  const held = nodes.flatMap((node) => epochs(node).filter((epoch) => epoch !== null));
  expect(new Set(held).size).toBe(6);
});

it('what a node has is taken over at once when it stops, and within two lease times when it dies', async () => {
  const { nodes } = await fleet(3, { leaseMs: 4000 });
  const [first, second, third] = nodes as [Node, Node, Node];
  const targets = await receivers(3);
  for (const target of targets) await first.createHook(hookTo(target));
  await vi.waitFor(() => expect(nodes.map(owned)).toEqual([1, 1, 1]), 10_000);
  const stopping = performance.now();
  await first.stop(500);
  await vi.waitFor(() => expect(owned(second) + owned(third)).toBe(3), 10_000);
  // Not by the end of a lease.
  expect(performance.now() - stopping).toBeLessThan(4000);
  // It cannot say that it lives any more.
  second.store.lease = () => new Promise(() => undefined);
  await vi.waitFor(() => expect(owned(third)).toBe(3), 10_000);
  expect(owned(second)).toBe(0);
  await third.accept([event()]);
  await Promise.all(targets.map((target) => target.until('/in', 1)));
});

it('an event fires once, and so does a change and a snooze, on any number of nodes', async () => {
  const { nodes } = await fleet(3);
  const [changes, naps] = (await receivers(2)) as [Receiver, Receiver];
  await nodes[0]?.createHook(hookTo(changes, { on_change: true }));
  await nodes[0]?.createHook(hookTo(naps, { snooze: 3600 }));
  await vi.waitFor(() => {
    for (const node of nodes) expect(node.hooks.list()).toHaveLength(2);
  }, 5000);
  const one = event({ v: 1 });
  await Promise.all(nodes.map((node) => node.accept([one])));
  await Promise.all(nodes.map((node) => node.accept([event({ v: 1 })])));
  await Promise.all(nodes.map((node) => node.accept([event({ v: 2 })])));
  await changes.until('/in', 2);
  await naps.until('/in', 1);
  for (const node of nodes) await node.outbox.flush();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(changes.bodies('/in').map(({ v }) => v)).toEqual([1, 2]);
  expect(naps.at('/in')).toHaveLength(1);
});

it('deliveries of a hook are in the order in which events were stored, whichever nodes took them in', async () => {
  const { nodes } = await fleet(3);
  const [target] = (await receivers(1)) as [Receiver];
  const hook = await nodes[0]?.createHook(hookTo(target, { concurrency: 1 }));
  await vi.waitFor(() => {
    for (const node of nodes) expect(node.hooks.list()).toHaveLength(1);
  }, 5000);
  await Promise.all(
    nodes.map(async (node) => {
      for (let n = 0; n < 100; n += 1) await node.accept([event({ n })]);
    }),
  );
  await target.until('/in', 300);
  for (const node of nodes) await node.outbox.flush();
  const stored = await nodes[0]?.store.deliveries({ hookId: hook?.id ?? '', size: 1000 });
  const order = (stored ?? [])
    .reverse()
    .map(({ eventId }) => eventId)
    .filter((id) => id.startsWith('e-'));
  expect(idsAt(target).map((id) => id.split('_')[0])).toEqual(order);
});

it('one node of all watches Kong, also where each delivers something', async () => {
  const { nodes } = await fleet(3);
  for (const target of await receivers(3)) await nodes[0]?.createHook(hookTo(target));
  await vi.waitFor(() => expect(nodes.map(owned)).toEqual([1, 1, 1]), 10_000);
  const watching = (): Node[] => nodes.filter((node) => watchPort(node).isActive());
  expect(watching()).toHaveLength(1);
  const [first] = watching();
  await first?.stop(500);
  await vi.waitFor(() => expect(watching()).toHaveLength(1), 10_000);
  expect(watching()).not.toEqual([first]);
});
