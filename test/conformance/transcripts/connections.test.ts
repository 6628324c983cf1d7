import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { PhaseChannel } from '../../../src/pdk/channel.ts';
import type { StartedInstance } from '../../../src/server/connection/host.ts';
import { lookAtRuntime, serveConnection } from '../../../src/server/connection/index.ts';
import { runtimeOf } from '../../../src/server/connection/runtime.ts';
import { decode } from '../../../src/wire/msgpack/framing.ts';
import { encodeFrame } from '../../../src/wire/protobuf/framing.ts';
import { encodeRpcCall } from '../../../src/wire/protobuf/kong-side.ts';
import { testHost, testInstance } from '../../support/connection-host.ts';
import type { TestHost } from '../../support/connection-host.ts';
import { listenUnix, turns } from '../../support/unix-server.ts';
import type { Client } from '../../support/unix-server.ts';
import { rowOf } from './transcript.ts';

type Entry = readonly [kind: string, connection: number, hex: string];

const fixture = (name: string): Entry[] => {
  const file = new URL(`../../fixtures/kong/connections/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { wire: Entry[] }).wire;
};

const whole = (bytes: Buffer) => [bytes];
const byteByByte = (bytes: Buffer) =>
  Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));

/** The recorded plugins: each reads the method and sets a header of its own name. */
function recordedHost(wire: readonly Entry[], ids: number[], events: number[]): TestHost {
  const handler = (header: string) => async (kong: unknown) => {
    const channel = kong as PhaseChannel;
    const method = String(await channel.call(rowOf('kong.request.get_method'), []));
    channel.send(rowOf('kong.response.set_header'), [header, `x ${method}`]);
  };
  const recorded = recordedInstances(wire);
  const names = new Map([[1, 'mx-protobuf']]);
  const instance = (id: number): StartedInstance => {
    const { Config: config = null, StartTime = started } = recorded.get(id) ?? {};
    return { id, name: names.get(id) ?? 'mx-msgpack', config, startedAt: StartTime };
  };
  const host = testHost({
    startInstance(name) {
      const id = ids.shift() ?? 0;
      names.set(id, name);
      return Promise.resolve(instance(id));
    },
    closeInstance: (id) => Promise.resolve(instance(id)),
    findInstance: (id) => {
      const name = names.get(id);
      if (name === undefined) return null;
      return testInstance(id, { access: handler(name === 'mx-protobuf' ? 'x-protobuf' : 'x-msgpack') });
    },
  });
  runtimeOf(host).newEventId = () => events.shift() ?? -1;
  return host;
}

interface Recorded {
  Config?: unknown;
  StartTime?: number;
}

/** When the recorded instances were started, in seconds since 1970. */
const started = 0x6b0a170a;

/** What the recorded server answered about its MsgPack:1 instances, by id. */
function recordedInstances(wire: readonly Entry[]): Map<number, Recorded> {
  const instances = new Map<number, Recorded>();
  for (const [kind, , hex] of wire) {
    if (kind !== '>' || !hex.startsWith('9401')) continue;
    const [, , , result] = decode(Buffer.from(hex, 'hex')) as [
      number,
      number,
      unknown,
      (Recorded & { Id?: number }) | null,
    ];
    if (result?.Id !== undefined) instances.set(result.Id, result);
  }
  return instances;
}

/** Writes what Kong wrote, and expects every byte that the recorded server answered. */
async function replay(client: Client, wire: readonly Entry[], split: (bytes: Buffer) => Buffer[]) {
  let expected = Buffer.concat(client.chunks);
  for (const [kind, , hex] of wire) {
    if (kind === '<') {
      for (const piece of split(Buffer.from(hex, 'hex'))) {
        client.write(piece);
        if (split === byteByByte) await turns(1);
      }
    } else if (kind === '>') {
      expected = Buffer.concat([expected, Buffer.from(hex, 'hex')]);
      const { length } = expected;
      await client.until(() => Buffer.concat(client.chunks).length >= length || client.ended, 'an answer');
      expect(Buffer.concat(client.chunks).toString('hex')).toBe(expected.toString('hex'));
    }
  }
}

test.each([
  ['whole', whole],
  ['byte by byte', byteByByte],
])('plugins of both protocols on one connection of Kong: %s', async (_how, split) => {
  const wire = fixture('mixed-one-connection');
  const host = recordedHost(wire, [1912558582, 0x48b6f7fe], [0xa2641500, 0xa2641600, 0xa2641700]);
  const server = await listenUnix((socket) => void serveConnection(socket, host));
  try {
    const client = await server.open();
    await replay(client, wire, split);
    client.end();
    await client.until(() => client.closed, 'the end');
    await turns();
    expect(host.lines).toEqual([]);
    expect(lookAtRuntime(host)).toEqual({ connections: 0, events: 0, steppedEvents: 0, deadlines: 0 });
  } finally {
    await server.close();
  }
});

test.each([
  ['as its chunks came', whole],
  ['byte by byte', byteByByte],
])('HandleEvent without InstanceId is answered: %s', async (_how, split) => {
  const wire = fixture('msgpack-no-instance-id');
  const host = recordedHost(wire, [0x49249006, 0x18050a39, 0x489998d0], [0xe0a43300]);
  const server = await listenUnix((socket) => void serveConnection(socket, host));
  try {
    const client = await server.open();
    // The recording begins in the middle of an event.
    const opening = {
      sequence: 9,
      command: { type: 'handleEvent', instanceId: 1, eventName: 'access' },
    } as const;
    client.write(encodeFrame(encodeRpcCall(opening)));
    await client.until(() => client.chunks.length > 0, 'the first call');
    await replay(client, wire, split);
  } finally {
    await server.close();
  }
});
