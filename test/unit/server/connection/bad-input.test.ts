import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rowByName } from '../../../../src/pdk/catalogue.ts';
import type { FunctionRow } from '../../../../src/pdk/catalogue.ts';
import type { PhaseChannel } from '../../../../src/pdk/channel.ts';
import {
  lookAtRuntime,
  receiveForwardedStep,
  serveConnection,
} from '../../../../src/server/connection/index.ts';
import type { ConnectionHandle } from '../../../../src/server/connection/index.ts';
import { owedAnswer } from '../../../../src/server/connection/owed-answer.ts';
import type { OpenRequest } from '../../../../src/server/in-flight/open-requests.ts';
import { decode, MessageDecoder } from '../../../../src/wire/msgpack/framing.ts';
import { encode } from '../../../../src/wire/msgpack/writer.ts';
import { encodeRequest, readEventAnswer } from '../../../../src/wire/msgpack/kong-side.ts';
import { encodeFrame, FrameDecoder } from '../../../../src/wire/protobuf/framing.ts';
import { decodeRpcReturn, encodeRpcCall } from '../../../../src/wire/protobuf/kong-side.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { MsgpackKong, ProtobufKong } from '../../../support/fake-kong.ts';
import { listenUnix, turns } from '../../../support/unix-server.ts';
import type { UnixServer } from '../../../support/unix-server.ts';

let host: TestHost;
let server: UnixServer;
let handles: ConnectionHandle[];

beforeEach(async () => {
  host = testHost({ maxFrameBytes: 100_000 });
  handles = [];
  server = await listenUnix((socket) => void handles.push(serveConnection(socket, host)));
});
afterEach(() => server.close());

const getMethod = rowByName('kong.request.get_method');
const calling = (kong: unknown) => (getMethod === null ? null : (kong as PhaseChannel).call(getMethod, []));

const getShared = rowByName('kong.ctx.shared.get') as FunctionRow;

/** A google.protobuf.Value: a list in a list in a list. */
function nested(depth: number): Buffer {
  let value: Buffer = Buffer.from('0801', 'hex');
  for (let at = 0; at < depth; at++) value = wrap(0x32, wrap(0x0a, value));
  return value;
}
function wrap(key: number, bytes: Buffer): Buffer {
  const { length } = bytes;
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return Buffer.concat([Buffer.from([key, ...size]), bytes]);
}

const event = (argument: object) => encodeRequest(5, 'plugin.HandleEvent', [argument]);

const handleEvent = encodeFrame(
  encodeRpcCall({ sequence: 1, command: { type: 'handleEvent', instanceId: 7, eventName: 'access' } }),
);

test.each([
  ['a frame over the limit', Buffer.from('ffffffff', 'hex'), 'FRAME_TOO_LARGE'],
  ['a frame that is not an RpcCall', encodeFrame(Buffer.from('hello')), 'FRAME_MALFORMED'],
  ['half a frame', handleEvent.subarray(0, 9), 'FRAME_TRUNCATED'],
  ['half a length', handleEvent.subarray(0, 2), 'FRAME_TRUNCATED'],
  ['one byte that could be either', Buffer.from('94', 'hex'), 'FRAME_TRUNCATED'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'FRAME_TOO_LARGE'],
  [
    'a request that is cut off',
    encodeRequest(1, 'plugin.HandleEvent', [{}]).subarray(0, 10),
    'FRAME_TRUNCATED',
  ],
  ['an array that has no id', Buffer.from('9300c0a178', 'hex'), 'FRAME_MALFORMED'],
])('%s closes the connection with one line', async (_what, bytes, code) => {
  const client = await server.open();
  client.write(bytes);
  await turns(3);
  client.end();
  await client.until(() => client.closed, 'the close');
  await turns();
  expect(host.lines).toMatchObject([{ level: 'error', fields: { code } }]);
  expect(client.chunks).toEqual([]);
  expect(lookAtRuntime(host)).toEqual({ connections: 0, events: 0, steppedEvents: 0, deadlines: 0 });
});

/** The bytes of a command whose inside is cut off: an RpcCall with a sequence of 5. */
const cutOff = (field: number) => {
  const key = field * 8 + 2;
  return encodeFrame(Buffer.from([0x08, 5, (key & 127) | 128, key >> 7, 2, 0x0a, 9]));
};

test.each([
  ['a command that is not known', encodeFrame(Buffer.from('0805', 'hex'))],
  ['a CloseInstance that cannot be read', cutOff(35)],
  ['a GetPluginInfo that cannot be read', cutOff(32)],
])('over ProtoBuf:1 %s is answered with its sequence, and the connection goes on', async (_what, bytes) => {
  host.instances.set(7, testInstance(7, { access: calling }));
  const client = await server.open();
  client.write(bytes);
  await client.until(() => client.chunks.length > 0 || client.ended, 'an answer');
  expect(Buffer.concat(client.chunks)).toEqual(encodeFrame(Buffer.from('0805', 'hex')));
  expect(host.lines).toMatchObject([{ level: 'error', fields: { code: 'FRAME_MALFORMED' } }]);
  const kong = new ProtobufKong(client, 1);
  expect(await kong.event(7, 'access', () => 'GET')).toMatchObject({ finished: true });
});

test('over ProtoBuf:1 a StartInstance that cannot be read is given an instance', async () => {
  const names: string[] = [];
  const startInstance = async (name: string) => {
    names.push(name);
    return { id: 9, name, config: {}, startedAt: 1 };
  };
  const starting = testHost({ startInstance });
  const own = await listenUnix((socket) => void serveConnection(socket, starting));
  try {
    const client = await own.open();
    client.write(cutOff(33));
    const answer = decodeRpcReturn(await new ProtobufKong(client).frame());
    expect(answer).toMatchObject({
      sequence: 5,
      result: { type: 'instanceStatus', status: { instanceId: 9 } },
    });
    expect(names).toEqual(['']);
  } finally {
    await own.close();
  }
});

test('over ProtoBuf:1 an event that cannot be read is aborted: Kong answers 500 and does not try it again', async () => {
  const client = await server.open();
  client.write(cutOff(36));
  const kong = new ProtobufKong(client);
  const method = (await kong.frame()).toString();
  expect(rowByName(method)).toBeNull();
  expect(await kong.frame()).toHaveLength(0);
  await client.until(() => client.ended, 'the end');
});

const wrong = (id: unknown, ...rest: unknown[]) => encode([0, id, ...rest]);

test.each<[string, Buffer, RegExp]>([
  ['HandleEvent without InstanceId', event({ EventName: 'access' }), /^No plugin instance #-1$/],
  ['HandleEvent with InstanceId nil', event({ InstanceId: null, EventName: 'log' }), /^No plugin instance #/],
  [
    'HandleEvent of an unknown instance',
    event({ InstanceId: 99, EventName: 'log' }),
    /^No plugin instance #99$/,
  ],
  ['HandleEvent of an instance that is text', event({ InstanceId: 'x', EventName: 'log' }), /InstanceId/],
  ['HandleEvent without EventName', event({ InstanceId: 7 }), /EventName/],
  ['HandleEvent of a phase that is none', event({ InstanceId: 7, EventName: 'nope' }), /phase nope/],
  ['HandleEvent without arguments', wrong(5, 'plugin.HandleEvent', []), /no argument/],
  ['HandleEvent with text for an argument', wrong(5, 'plugin.HandleEvent', ['x']), /no argument/],
  ['StartInstance without Config', wrong(5, 'plugin.StartInstance', [{ Name: 'x' }]), /no Config/],
  ['CloseInstance without an id', wrong(5, 'plugin.CloseInstance', []), /no instance id/],
  [
    'CloseInstance of an unknown instance',
    wrong(5, 'plugin.CloseInstance', [98]),
    /^No plugin instance #98$/,
  ],
  ['Step without EventId', wrong(5, 'plugin.Step', [{ Data: 1 }]), /no EventId/],
  ['Step of an unknown event', wrong(5, 'plugin.Step', [{ EventId: 77 }]), /no event 77/],
  ['a method that is not known', wrong(5, 'plugin.Dance', [{}]), /plugin\.Dance is not known/],
  ['a method that is a number', wrong(5, 7, [{}]), /neither request/],
  ['three elements', wrong(5, 'plugin.HandleEvent'), /neither request/],
  ['five elements', wrong(5, 'plugin.HandleEvent', [{}], 1), /neither request/],
  ['arguments that are a map', wrong(5, 'plugin.HandleEvent', {}), /neither request/],
  ['a response', encode([1, 5, null, null]), /sent a response/],
  ['a kind of message that MsgPack-RPC does not have', encode([9, 5, 'plugin.Step', []]), /neither request/],
  ['a byte that starts no value', Buffer.from('940005a178c1', 'hex'), /start with c1/],
  ['an extension type', Buffer.from('940005a17891d40101', 'hex'), /start with d4/],
  ['a map with a key that is an array', Buffer.from('940005a17891819001', 'hex'), /key/],
  [
    'values that nest too deep',
    Buffer.concat([Buffer.from('940005a178', 'hex'), Buffer.alloc(2000, 0x91), Buffer.from('c0', 'hex')]),
    /levels deep/,
  ],
])('over MsgPack:1 %s is answered with an error, and the connection goes on', async (_what, bytes, text) => {
  host.instances.set(7, testInstance(7, { access: calling }));
  const client = await server.open();
  for (let round = 1; round <= 2; round++) {
    client.write(bytes);
    await client.until(() => client.chunks.length === round || client.ended, 'an answer');
    const [answer] = client.chunks.slice(round - 1);
    expect(decode(answer ?? Buffer.alloc(0))).toEqual([1, 5, expect.stringMatching(text) as string, null]);
  }
  const kong = new ProtobufKong(client, 2);
  expect(await kong.event(7, 'access', () => 'GET')).toMatchObject({ finished: true });
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
});

test.each([
  ['negative', -5],
  ['text', 'five'],
  ['larger than a number holds', 2n ** 63n],
  ['a fraction', 0.5],
])('an id that is %s comes back with the error', async (_what, id) => {
  const client = await server.open();
  client.write(encode([0, id, 'plugin.Nope', [{}]]));
  await client.until(() => client.chunks.length > 0 || client.ended, 'an answer');
  expect(decode(Buffer.concat(client.chunks))).toEqual([1, id, expect.any(String) as string, null]);
});

test('a MsgPack:1 command over the limit is answered, and the connection ends after that', async () => {
  const client = await server.open();
  client.write(Buffer.from('940001dbffffffff', 'hex'));
  client.write(Buffer.alloc(200_000));
  await client.until(() => client.ended, 'the end');
  const [answer] = new MessageDecoder().push(Buffer.concat(client.chunks));
  expect(answer).toEqual([1, 1, expect.stringContaining('larger than the limit') as string, null]);
});

test('a MsgPack:1 step over the limit fails its call, and the handler has the last word', async () => {
  const errors: unknown[] = [];
  host.instances.set(
    7,
    testInstance(7, { access: (kong) => calling(kong)?.catch((error: unknown) => errors.push(error)) }),
  );
  const client = await server.open();
  const kong = new MsgpackKong(client);
  const started = await kong.request('plugin.HandleEvent', { InstanceId: 7, EventName: 'access' });
  const { eventId } = readEventAnswer(started.result);
  const ended = await kong.request('plugin.Step', { EventId: eventId, Data: Buffer.alloc(150_000) });
  expect(readEventAnswer(ended.result).done).toBe(true);
  expect(errors).toMatchObject([{ code: 'PDK_CALL_FAILED' }]);
  await client.until(() => client.ended, 'the end');
});

test('a MsgPack:1 notification asks for nothing that could be answered: one line, and the connection ends', async () => {
  const client = await server.open();
  client.write(encode([2, 'serverPid', 5]));
  await client.until(() => client.closed, 'the close');
  expect(host.lines).toMatchObject([{ fields: { code: 'FRAME_MALFORMED' } }]);
});

test.each([
  ['is not a message', encodeFrame(Buffer.from('0aff', 'hex')), 'cannot be read'],
  ['is nested too deep', encodeFrame(nested(200)), 'cannot be read'],
  ['is larger than a frame may be', encodeFrame(Buffer.alloc(150_000)), 'larger than the limit'],
])('an answer that %s fails its call, and the connection goes on', async (_what, answer, text) => {
  const errors: unknown[] = [];
  const ask = (kong: unknown) => (kong as PhaseChannel).call(getShared, ['k']);
  host.instances.set(
    7,
    testInstance(7, { access: (kong) => ask(kong).catch((error: unknown) => errors.push(error)) }),
  );
  const client = await server.open();
  const kong = new ProtobufKong(client);
  for (let event = 1; event <= 2; event++) {
    kong.start(7, 'access');
    await kong.frame();
    await kong.frame();
    for (let at = 0; at < answer.length; at += 40_000) client.write(answer.subarray(at, at + 40_000));
    // The end of the event: the empty frame, and the RpcReturn.
    expect(await kong.frame()).toHaveLength(0);
    await kong.frame();
    expect(errors).toHaveLength(event);
  }
  expect(errors).toMatchObject([{ code: 'PDK_CALL_FAILED' }, { code: 'PDK_CALL_FAILED' }]);
  expect(String(errors[0])).toContain(text);
  expect([client.ended, host.lines]).toEqual([false, []]);
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, deadlines: 0 });
});

test('over MsgPack:1, plugin.StepError rejects the call that it answers', async () => {
  const errors: unknown[] = [];
  host.instances.set(
    7,
    testInstance(7, { access: (kong) => calling(kong)?.catch((error: unknown) => errors.push(error)) }),
  );
  const kong = new MsgpackKong(await server.open());
  const started = await kong.request('plugin.HandleEvent', { InstanceId: 7, EventName: 'access' });
  const { eventId } = readEventAnswer(started.result);
  const ended = await kong.request('plugin.StepError', { EventId: eventId, Data: 'no such thing' });
  expect(readEventAnswer(ended.result).done).toBe(true);
  expect(errors).toMatchObject([
    { code: 'PDK_CALL_FAILED', message: expect.stringContaining('no such thing') as string },
  ]);
});

test('other connections go on', async () => {
  host.instances.set(7, testInstance(7, { access: calling }));
  const good = new ProtobufKong(await server.open());
  const bad = await server.open();
  const event = good.event(7, 'access', () => 'GET');
  bad.write(Buffer.from('ffffffff', 'hex'));
  expect((await event).finished).toBe(true);
  expect((await good.event(7, 'access', () => 'GET')).finished).toBe(true);
});

test('a client that sends and never reads is held back', async () => {
  host.instances.set(7, testInstance(7, { access: () => undefined }));
  const client = await server.open();
  client.pause();
  const many = Buffer.concat(Array.from({ length: 2000 }, () => handleEvent));
  for (let round = 0; round < 100; round++) {
    client.write(many);
    await turns(1);
  }
  const { events } = host.instances.get(7)?.stats.access ?? { events: 0 };
  await turns(20);
  const served = host.instances.get(7)?.stats.access.events ?? 0;
  expect(served - events).toBeLessThan(20_000);
  expect(served).toBeLessThan(200_000);
  client.resume();
  await client.until(() => host.instances.get(7)?.stats.access.events === 200_000, 'the rest', 50_000);
});

test('random bytes never crash the server and leave nothing', async () => {
  host.instances.set(7, testInstance(7, { access: calling }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
      fc.boolean(),
      async (pieces, real) => {
        const client = await server.open();
        if (real) client.write(handleEvent);
        for (const piece of pieces) client.write(piece);
        await turns(2);
        client.end();
        await client.until(() => client.closed, 'the close');
      },
    ),
    { numRuns: 60 },
  );
  await turns();
  host.clock.advance(200_000);
  expect(lookAtRuntime(host)).toEqual({ connections: 0, events: 0, steppedEvents: 0, deadlines: 0 });
});

test('draining: idle connections end, a running event is finished, and Kong is made to let go with its answer', async () => {
  let go = () => {};
  host.instances.set(
    7,
    testInstance(7, { access: () => new Promise<void>((resolve) => (go = resolve)), log: () => undefined }),
  );
  const idle = await server.open();
  await new ProtobufKong(idle).event(7, 'log');
  const busy = new ProtobufKong(await server.open());
  const event = busy.event(7, 'access');
  while (lookAtRuntime(host).events === 0) await turns(1);
  const drained = handles.map((handle) => handle.drain(10));
  await idle.until(() => idle.closed, 'the end of the idle one');
  expect(busy.client.ended).toBe(false);
  go();
  expect((await event).finished).toBe(true);
  await busy.client.until(() => busy.client.closed, 'the end of the busy one');
  await Promise.all(drained);
  await turns();
  expect(lookAtRuntime(host).connections).toBe(0);
});

/** What Kong may ask for, and the bytes that it reads as the answer. */
const asked = {
  protobuf: [
    ['StartInstance', { type: 'startInstance', name: 'calls', config: Buffer.from('{}') }],
    ['CloseInstance', { type: 'closeInstance', instanceId: 7 }],
    ['HandleEvent', { type: 'handleEvent', instanceId: 7, eventName: 'log' }],
    ['GetPluginNames', { type: 'getPluginNames' }],
  ],
  msgpack: [
    ['plugin.StartInstance', { Name: 'calls', Config: '{}' }],
    ['plugin.CloseInstance', 7],
    ['plugin.HandleEvent', { InstanceId: 7, EventName: 'log' }],
    ['plugin.HandleEvent', { InstanceId: 8, EventName: 'log' }],
    ['plugin.HandleEvent', { EventName: 'log' }],
    ['plugin.Step', { EventId: 9 }],
    ['plugin.Nope', {}],
  ],
} as const;

test.each(asked.protobuf)(
  'draining over ProtoBuf:1: %s is answered, and Kong keeps nothing of the connection',
  async (_, command) => {
    host.startInstance = (name) => Promise.resolve({ id: 9, name, config: {}, startedAt: 1 });
    host.instances.set(7, testInstance(7, { log: () => undefined }));
    const client = await server.open();
    while (handles.length === 0) await turns(1);
    const drained = handles[0]?.drain(60_000);
    client.write(encodeFrame(encodeRpcCall({ sequence: 3, command })));
    await client.until(() => client.ended, 'the end');
    const answer = Buffer.concat(client.chunks);
    const frames = new FrameDecoder({}).push(answer);
    const [first, ...rest] = command.type === 'handleEvent' ? frames.slice(1) : frames;
    expect(decodeRpcReturn(first ?? Buffer.alloc(0)).sequence).toBe(3);
    expect(rest).toHaveLength(1);
    client.end();
    await drained;
  },
);

test.each(asked.msgpack)(
  'draining over MsgPack:1: %s (%j) is answered, and Kong keeps nothing of the connection',
  async (method, args) => {
    host.instances.set(7, testInstance(7, { log: () => undefined }));
    const client = await server.open();
    while (handles.length === 0) await turns(1);
    const drained = handles[0]?.drain(60_000);
    client.write(encodeRequest(3, method, [args]));
    await client.until(() => client.ended, 'the end');
    const bytes = Buffer.concat(client.chunks);
    const [answer, farewell] = new MessageDecoder().push(bytes) as unknown[][];
    expect(answer?.slice(0, 2)).toEqual([1, 3]);
    expect(farewell?.[0]).toBe(2);
    // Kong reads 4096 bytes at a time; what is left of the last piece is forgotten, what is behind it is not.
    expect(bytes.length - encode(answer).length).toBeGreaterThan(4096);
    client.end();
    await drained;
  },
);

test('draining: a connection on which nothing has come gets a second for one command', async () => {
  host.instances.set(7, testInstance(7, { log: () => undefined }));
  const late = await server.open();
  const silent = await server.open();
  while (handles.length < 2) await turns(1);
  const drained = handles.map((handle) => handle.drain(10));
  const kong = new ProtobufKong(late);
  expect((await kong.event(7, 'log')).finished).toBe(true);
  await late.until(() => late.closed, 'the end');
  expect(silent.ended).toBe(false);
  await silent.until(() => silent.closed, 'the end');
  await Promise.all(drained);
});

test('a step that comes to another worker is taken to the one that runs the event', async () => {
  const value: unknown[] = [];
  const owner = testHost({ workerIndex: 5 });
  owner.instances.set(7, testInstance(7, { access: async (kong) => value.push(await calling(kong)) }));
  const other = testHost({
    workerIndex: 6,
    forwardStep: (index, step) => {
      expect(index).toBe(5);
      return receiveForwardedStep(owner, structuredClone(step)).then((answer) => structuredClone(answer));
    },
  });
  const hosts = [owner, other];
  const both = await listenUnix((socket) => void serveConnection(socket, hosts.shift() ?? other));
  try {
    const kong = new MsgpackKong(await both.open(), await both.open());
    expect(await kong.event(7, 'access', () => 'GET')).toEqual({
      methods: [getMethod?.name],
      finished: true,
    });
    expect(value).toEqual(['GET']);
    expect(await kong.request('plugin.Step', { EventId: 3 * 256 + 5 })).toBeDefined();
    expect((await kong.request('plugin.Step', { EventId: 3 * 256 + 5 })).error).toMatch(/There is no event/);
    expect(lookAtRuntime(owner)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
  } finally {
    await both.close();
  }
});

test.each([
  [
    'has ended through no fault of the event: Kong begins it anew',
    () => Promise.resolve({ type: 'gone' } as const),
    /^No plugin instance/,
  ],
  [
    'was ended by one: Kong is told that it is gone',
    () => Promise.reject(new Error('ended')),
    /^There is no event/,
  ],
])('a step of an event whose worker %s', async (_what, forwardStep, text) => {
  const other = testHost({ workerIndex: 6, forwardStep });
  const unix = await listenUnix((socket) => void serveConnection(socket, other));
  try {
    const { error } = await new MsgpackKong(await unix.open()).request('plugin.Step', { EventId: 5 });
    expect(error).toMatch(text);
  } finally {
    await unix.close();
  }
});

test('a step that another worker answers is noted until its answer: should this one die, Kong begins the event anew', async () => {
  const noted: unknown[] = [];
  let answer: (answer: { type: 'done' }) => void = () => undefined;
  const other = testHost({
    workerIndex: 6,
    forwardStep: () => new Promise((resolve) => (answer = resolve)),
    openRequests: { open: (request) => noted.push(request), close: (place) => noted.push(place) },
  });
  const unix = await listenUnix((socket) => void serveConnection(socket, other, 4));
  try {
    const step = new MsgpackKong(await unix.open()).request('plugin.Step', { EventId: 5 });
    await expect.poll(() => noted).toEqual([{ ticket: 4, id: 1, eventId: 0, phase: null }]);
    answer({ type: 'done' });
    await step;
    expect(noted).toHaveLength(2);
    const [owed] = noted as [OpenRequest];
    for (const suspect of [false, true]) {
      expect(owedAnswer(owed, suspect).toString('latin1')).toContain('No plugin instance');
    }
  } finally {
    await unix.close();
  }
});

test('a step of an event that another server of the socket runs is taken there and back, once', async () => {
  const asked: Buffer[] = [];
  const other = testHost({
    relayStep: (request) => {
      asked.push(request);
      return Promise.resolve(encode([1, 1, null, { EventId: 5, Data: 'ret' }]));
    },
  });
  const unix = await listenUnix((socket) => void serveConnection(socket, other));
  try {
    const { result } = await new MsgpackKong(await unix.open()).request('plugin.Step', { EventId: 5 });
    expect(result).toEqual({ EventId: 5, Data: 'ret' });
    expect(asked.map((bytes) => decode(bytes))).toEqual([[0, 1, 'plugin.Step', [{ EventId: 5 }]]]);
    // What has been relayed to this server is not relayed on.
    const relayed = await unix.open();
    relayed.write(encode([2, 'kong-ts.relays', null]));
    const { error } = await new MsgpackKong(relayed).request('plugin.Step', { EventId: 5 });
    expect(error).toMatch(/^There is no event/);
    expect(asked).toHaveLength(1);
  } finally {
    await unix.close();
  }
});
