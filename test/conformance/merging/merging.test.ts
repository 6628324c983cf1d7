import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKong } from '../../../src/pdk/index.ts';
import type { KongApi } from '../../../src/pdk/index.ts';
import { PrefetchLearners } from '../../../src/server/connection/prefetch-learner.ts';
import { serveConnection } from '../../../src/server/connection/index.ts';
import { testHost, testInstance } from '../../support/connection-host.ts';
import type { TestHost } from '../../support/connection-host.ts';
import { MsgpackKong, ProtobufKong } from '../../support/fake-kong.ts';
import type { Answer } from '../../support/fake-kong.ts';
import { listenUnix } from '../../support/unix-server.ts';
import type { UnixServer } from '../../support/unix-server.ts';
import { recordedRequests, recordedSingles, recordedTable } from './recorded-headers.ts';
import type { RecordedRequest } from './recorded-headers.ts';

let host: TestHost;
let server: UnixServer;
beforeEach(async () => {
  host = testHost({ createKong });
  server = await listenUnix((socket) => void serveConnection(socket, host));
});
afterEach(() => server.close());

const protocols = ['protobuf', 'msgpack'] as const;
type Protocol = (typeof protocols)[number];

/** Kong 3.9.3 as it was recorded. */
function answersOf(recorded: RecordedRequest, protocol: Protocol): Answer {
  const singles = new Map(recordedSingles(recorded, protocol));
  const table = recordedTable(recorded, protocol);
  return (method, args) => {
    if (method === 'kong.request.get_headers') return protocol === 'protobuf' ? table : asLists(table);
    const name = protocol === 'protobuf' ? textIn(args as Buffer) : String((args as readonly unknown[])[0]);
    return singles.get(name) ?? null;
  };
}

/** Every value as a list, as MsgPack:1 has them. */
function asLists(table: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).map(([name, value]) => [name, Array.isArray(value) ? value : [value]]),
  );
}

/** The text of a String message: a key, a length, bytes. */
const textIn = (bytes: Buffer): string => bytes.subarray(2).toString();

/** What is asked for names: one with a dot in it is always asked by itself. */
const pluralFor = (names: readonly string[]): string =>
  `kong.request.get_header${names.filter((name) => !name.includes('.')).length > 1 ? 's' : ''}`;

async function kongOf(protocol: Protocol): Promise<ProtobufKong | MsgpackKong> {
  const client = await server.open();
  return protocol === 'protobuf' ? new ProtobufKong(client) : new MsgpackKong(client);
}

const cases = recordedRequests.flatMap(([name, recorded]) =>
  protocols.flatMap((protocol) =>
    [true, false].map((merges) => [name, protocol, merges ? 'merged' : 'singly', recorded, merges] as const),
  ),
);

test.each(cases)(
  '%s over %s, asked %s: each call has its own value',
  async (...[, protocol, , recorded, merges]) => {
    const singles = recordedSingles(recorded, protocol);
    // One more name, so that there are two at least.
    const names = [...singles.map(([name]) => name), 'x-absent'];
    let values: unknown[] = [];
    const access = async (kong: unknown) => {
      values = await Promise.all(names.map((name) => (kong as KongApi).request.getHeader(name)));
    };
    host.instances.set(7, { ...testInstance(7, { access }, { protocol }), merges });
    const { methods } = await (await kongOf(protocol)).event(7, 'access', answersOf(recorded, protocol));
    expect(values).toEqual([...singles.map(([, value]) => value), null]);
    if (merges) expect(methods[0]).toBe(pluralFor(names));
    else expect(methods).toEqual(names.map(() => 'kong.request.get_header'));
  },
);

test.each(cases)('%s over %s, awaited one by one, %s: a plan gives the same values', async (...args) => {
  const [, protocol, , recorded, merges] = args;
  const singles = recordedSingles(recorded, protocol);
  const names = [...singles.map(([name]) => name), 'x-absent'];
  let values: unknown[] = [];
  const access = async (kong: unknown) => {
    values = [];
    for (const name of names) values.push(await (kong as KongApi).request.getHeader(name));
  };
  const ahead = protocol === 'protobuf';
  const prefetch = ahead || merges ? new PrefetchLearners({ merges, ahead }) : null;
  host.instances.set(7, { ...testInstance(7, { access }, { protocol }), merges, prefetch });
  const kong = await kongOf(protocol);
  let methods: readonly string[] = [];
  for (let event = 0; event < 34; event++) {
    ({ methods } = await kong.event(7, 'access', answersOf(recorded, protocol)));
  }
  expect(values).toEqual([...singles.map(([, value]) => value), null]);
  expect(methods[0]).toBe(merges ? pluralFor(names) : 'kong.request.get_header');
});

test('most requests need no single call', async () => {
  const access = async (kong: unknown) => {
    const { request } = kong as KongApi;
    await Promise.all(['x-a', 'x-b', 'host', 'cookie'].map((name) => request.getHeader(name)));
  };
  host.instances.set(7, { ...testInstance(7, { access }), merges: true });
  const kong = await kongOf('protobuf');
  const single: string[] = [];
  for (const [name, recorded] of recordedRequests) {
    const { methods } = await kong.event(7, 'access', answersOf(recorded, 'protobuf'));
    if (methods.length > 1) single.push(name);
  }
  expect(single).toEqual(['100 in all', '101 in all', '150 in all', '101 in all, late one repeated']);
});

test.each([
  ['x-forwarded-for', ['192.0.2.1', '192.0.2.2'], '192.0.2.1, 192.0.2.2'],
  ['cookie', ['a=1, 2', 'b=3'], 'a=1, 2; b=3'],
])('of a repeated %s, the plugin sees what Kong 3.4 gives', async (name, lines, whole) => {
  let values: unknown;
  const access = async (kong: unknown) => {
    const { request } = kong as KongApi;
    values = await Promise.all([name, 'x-a'].map((each) => request.getHeader(each)));
  };
  host.instances.set(7, { ...testInstance(7, { access }), merges: true });
  const answer: Answer = (method) =>
    method === 'kong.request.get_headers' ? { [name]: lines, 'x-a': 'a' } : whole;
  const { methods } = await (await kongOf('protobuf')).event(7, 'access', answer);
  expect(values).toEqual([whole, 'a']);
  expect(methods).toEqual(['kong.request.get_headers', 'kong.request.get_header']);
});
