import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { InstanceRecord } from '../../../src/server/ipc/messages.ts';
import type { LastWill } from '../../../src/server/socket/held-host.ts';
import { HeldConnections } from '../../../src/server/socket/held.ts';
import { encodeRequest } from '../../../src/wire/msgpack/kong-side.ts';
import { encodeFrame } from '../../../src/wire/protobuf/framing.ts';
import { encodeRpcCall } from '../../../src/wire/protobuf/kong-side.ts';
import { KongClient } from '../../server/support/kong-client.ts';
import { PackedConnection } from '../../server/support/msgpack-client.ts';
import { memoryLog } from '../../support/connection-host.ts';
import type { Client, UnixServer } from '../../support/unix-server.ts';
import { listenUnix } from '../../support/unix-server.ts';

// Nobody but the one who holds the connections answers here.

let server: UnixServer;
let held: HeldConnections;
let kong: KongClient;
const records = new Map<number, InstanceRecord>();

const will: LastWill = {
  maxFrameBytes: 1024 * 1024,
  log: memoryLog([]),
  add: (record) => records.set(record.id, record).has(record.id),
  find: (id) => records.get(id) ?? null,
  remove: (id) => void records.delete(id),
  pluginNames: () => ['a'],
  forwardStep: (owner) => Promise.resolve(owner === 7 ? { type: 'done' } : { type: 'gone' }),
};

beforeEach(async () => {
  records.clear();
  held = new HeldConnections(will);
  server = await listenUnix((socket) => {
    held.add(socket);
  });
  kong = new KongClient(server.path);
});
afterEach(async () => {
  kong.close();
  await held.end();
  await server.close();
});

it('an instance gets an id, one connection after the other, which is remembered with what Kong has sent', async () => {
  const ids = [await kong.start('a', { n: 1 }), await kong.start('a', { n: 2 })];
  expect([...records.keys()]).toEqual(ids);
  expect([...records.values()].map(({ name, config }) => [name, String(config as Buffer)])).toEqual([
    ['a', '{"n":1}'],
    ['a', '{"n":2}'],
  ]);
});

it('over MsgPack:1 everything is answered, a step of a running event by its worker; an event waits', async () => {
  const packed = new PackedConnection(server.path);
  const { result } = await packed.call('plugin.StartInstance', { Name: 'a', Config: '{}' });
  const id = (result as { Id: number }).Id;
  const step = await packed.call('plugin.Step', { EventId: 256 + 7, Data: null }, true);
  expect(step).toMatchObject({ error: null, result: { Data: 'ret' } });
  const lost = await packed.call('plugin.Step', { EventId: 256 + 8, Data: null }, true);
  expect(lost.error).toMatch(/No plugin instance/);
  expect((await packed.call('plugin.Nonsense', {}, true)).error).toMatch(/not known here/);
  expect((await packed.call('plugin.GetStatus', {}, true)).error).toEqual(expect.any(String));
  let over = false;
  const event = packed.call('plugin.HandleEvent', { InstanceId: id, EventName: 'access' }, true);
  void event.then(() => (over = true));
  await kong.start('a', {});
  expect([over, held.size > 0]).toEqual([false, true]);
  void held.end();
  expect((await event).error).toBe(`No plugin instance #${String(id)}`);
  packed.close();
});

it('over ProtoBuf:1 the connection of an event that has waited ends, for which Kong tries again; so do later ones', async () => {
  const id = await kong.start('a', {});
  const failure = kong.handle(id, 'log').catch((error: unknown) => String(error));
  await kong.start('a', {});
  void held.end();
  expect(await failure).toContain('closed');
  expect(await kong.handle(id, 'log').catch((error: unknown) => String(error))).toContain('closed');
});

describe('orphans', () => {
  let orphans: HeldConnections;
  let connections: Socket[];

  /** Clients of connections whose worker has died. */
  async function orphaned(count: number): Promise<{ clients: Client[] }> {
    orphans = new HeldConnections(will, { orphans: true });
    connections = [];
    const worker = await listenUnix((socket) => connections.push(socket));
    onTestFinished(() => worker.close());
    const clients = await Promise.all(Array.from({ length: count }, () => worker.open()));
    await expect.poll(() => connections.length).toBe(count);
    return { clients };
  }

  it('end one after the other; what Kong asks on them meanwhile is answered', async () => {
    const { clients } = await orphaned(12);
    // Their turns wait until Kong has its answer, also on a busy machine.
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    for (const connection of connections) orphans.add(connection);
    const { 11: asking } = clients;
    const start = encodeRequest(5, 'plugin.StartInstance', [{ Name: 'a', Config: '{}' }]);
    asking?.write(start);
    await asking?.until(() => asking.chunks.length > 0, 'an answer');
    // Were they ended together, Kong would meet more than one that has ended.
    expect(clients.filter(({ ended }) => !ended).length).toBeGreaterThan(4);
    expect(records.size).toBe(1);
    vi.useRealTimers();
    for (const each of clients) await each.until(() => each.ended, 'the end');
  });

  it.each([
    ['a number', '0200000008' + '05'],
    ['a text', '050000000a03474554'],
    ['nothing', '00000000'],
    ['the rest of one', '0805'],
  ])('an answer to an event that has died with its worker (%s) ends it without a word', async (_, answer) => {
    const { clients } = await orphaned(1);
    const { 0: kong } = clients;
    if (kong === undefined || connections[0] === undefined) throw new Error('no connection');
    kong.write(Buffer.from(answer, 'hex'));
    orphans.add(connections[0]);
    await kong.until(() => kong.ended, 'the end');
    expect(kong.chunks).toEqual([]);
  });

  it('an event on one is begun anew, over both protocols', async () => {
    const { clients } = await orphaned(2);
    const [packed, rpc] = clients;
    packed?.write(encodeRequest(5, 'plugin.HandleEvent', [{ InstanceId: 4, EventName: 'access' }]));
    const command = { type: 'handleEvent', instanceId: 4, eventName: 'log' } as const;
    rpc?.write(encodeFrame(encodeRpcCall({ sequence: 1, command })));
    for (const connection of connections) orphans.add(connection);
    await packed?.until(() => packed.chunks.length > 0, 'an answer');
    expect(String(packed?.chunks[0])).toContain('No plugin instance #4');
    await rpc?.until(() => rpc.ended, 'the end');
    expect(rpc?.chunks).toEqual([]);
  });
});
