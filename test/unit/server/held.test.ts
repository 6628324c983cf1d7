import type { Buffer } from 'node:buffer';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { InstanceRecord } from '../../../src/server/ipc/messages.ts';
import { HeldConnections } from '../../../src/server/socket/held.ts';
import { KongClient } from '../../server/support/kong-client.ts';
import { PackedConnection } from '../../server/support/msgpack-client.ts';
import { memoryLog } from '../../support/connection-host.ts';
import { listenUnix, type UnixServer } from '../../support/unix-server.ts';

// Nobody but the one who holds the connections answers here.

let server: UnixServer;
let held: HeldConnections;
let kong: KongClient;
const records = new Map<number, InstanceRecord>();

beforeEach(async () => {
  records.clear();
  held = new HeldConnections({
    maxFrameBytes: 1024 * 1024,
    log: memoryLog([]),
    add: (record) => records.set(record.id, record).has(record.id),
    find: (id) => records.get(id) ?? null,
    remove: (id) => void records.delete(id),
    pluginNames: () => ['a'],
    forwardStep: (owner) => Promise.resolve(owner === 7 ? { type: 'done' } : { type: 'gone' }),
  });
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
