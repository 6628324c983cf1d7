import type { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import { lookAtRuntime, lookAtUnfinished, serveConnection } from '../../../../src/server/connection/index.ts';
import { encode } from '../../../../src/wire/msgpack/writer.ts';
import { encodeRpcCall } from '../../../../src/wire/protobuf/kong-side.ts';
import { encodeFrame } from '../../../../src/wire/protobuf/framing.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { MsgpackKong } from '../../../support/fake-kong.ts';
import { listenUnix, turns } from '../../../support/unix-server.ts';
import type { Client, UnixServer } from '../../../support/unix-server.ts';

const most = 1024 * 1024;
const piece = 100 * 1024;

let host: TestHost;
let server: UnixServer;

beforeEach(async () => {
  host = testHost({ createKong, maxUnfinishedBytes: most });
  host.instances.set(
    1,
    testInstance(1, { access: async (kong) => void (await (kong as KongApi).request.getRawBody()) }),
  );
  server = await listenUnix((socket) => void serveConnection(socket, host));
});
afterEach(() => server.close());

const long = 'a'.repeat(3 * most);
/** Commands of 3 MiB. */
const commands: [protocol: string, bytes: Buffer][] = [
  ['MsgPack:1', encode([0, 1, 'plugin.HandleEvent', [{ EventName: long }]])],
  [
    'ProtoBuf:1',
    encodeFrame(
      encodeRpcCall({ sequence: 1, command: { type: 'handleEvent', instanceId: 1, eventName: long } }),
    ),
  ],
];

describe.each(commands)('messages of %s that are begun and never ended', (_protocol, command) => {
  test('hold what all connections together may: the one that was begun first is closed', async () => {
    const clients: Client[] = [];
    const ended = (): number => clients.filter((client) => client.ended).length;
    for (let at = 1; at <= 30; at += 1) {
      const client = await server.open();
      client.write(command.subarray(0, piece));
      clients.push(client);
      await expect
        .poll(() => lookAtRuntime(host).connections + lookAtUnfinished(host).closed, { interval: 1 })
        .toBe(at);
      await turns(20);
      expect(lookAtUnfinished(host).bytes).toBeLessThanOrEqual(most);
    }
    await expect.poll(ended).toBe(lookAtUnfinished(host).closed);
    expect(ended()).toBeGreaterThan(15);
    expect(clients.slice(0, ended()).every((client) => client.ended)).toBe(true);
    const said = host.lines.filter(({ message }) =>
      message.includes('Messages that are not whole hold more'),
    );
    expect(said).toHaveLength(ended());
    // Kong is served, whatever others hold.
    const kong = new MsgpackKong(await server.open());
    expect(await kong.event(1, 'access', () => 'x'.repeat(200_000))).toMatchObject({ finished: true });
    for (const client of clients) client.destroy();
    await expect.poll(() => lookAtUnfinished(host).bytes).toBe(0);
  });
});
