import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KongTsError } from '../../../../src/base/errors.ts';
import { rowByName } from '../../../../src/pdk/catalogue.ts';
import type { FunctionRow } from '../../../../src/pdk/catalogue.ts';
import type { PhaseChannel } from '../../../../src/pdk/channel.ts';
import { phases } from '../../../../src/pdk/names/phases.ts';
import { lookAtRuntime, serveConnection } from '../../../../src/server/connection/index.ts';
import type { ConnectionHandle } from '../../../../src/server/connection/index.ts';
import { decodeArguments } from '../../../../src/wire/protobuf/kong-side.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { MixedKong, MsgpackKong, noAnswer, ProtobufKong } from '../../../support/fake-kong.ts';
import type { Answer, EventResult } from '../../../support/fake-kong.ts';
import { listenUnix, turns } from '../../../support/unix-server.ts';
import type { Client, UnixServer } from '../../../support/unix-server.ts';

function row(name: string): FunctionRow {
  const found = rowByName(name);
  if (found === null) throw new Error(name);
  return found;
}
const getMethod = row('kong.request.get_method');
const setHeader = row('kong.response.set_header');
const exit = row('kong.response.exit');

let host: TestHost;
let server: UnixServer;
let handles: ConnectionHandle[];
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);

beforeEach(async () => {
  host = testHost();
  handles = [];
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
  server = await listenUnix((socket) => void handles.push(serveConnection(socket, host)));
});
afterEach(async () => {
  await server.close();
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

interface Kong {
  readonly clients: readonly Client[];
  event(instanceId: number, phase: string, answer?: Answer): Promise<EventResult>;
}
const kongs = {
  async protobuf(): Promise<Kong> {
    const kong = new ProtobufKong(await server.open());
    return { clients: [kong.client], event: (...args) => kong.event(...args) };
  },
  async msgpack(): Promise<Kong> {
    const kong = new MsgpackKong(await server.open(), await server.open());
    return { clients: kong.clients, event: (...args) => kong.event(...args) };
  },
};

/** The instance of the plugin that has the connections in common with the plugin that is tested. */
const other = 8;
const otherHandler = async (kong: unknown): Promise<void> => {
  const channel = kong as PhaseChannel;
  await channel.call(row('kong.ctx.shared.get'), ['k']);
  // Kong's answer to it comes after the end of the event, together with the next command.
  channel.send(row('kong.ctx.shared.set'), ['k', 'v']);
};

const exits: Answer = (method) => (method === 'kong.response.exit' ? noAnswer : null);
const nothingLeft = () =>
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
const later = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Both protocols behave the same, each on connections of its own and on one that a plugin of the other one uses, too. */
describe.each([
  ['protobuf', 'on a connection of its own'],
  ['msgpack', 'on connections of its own'],
  ['protobuf', 'on a connection that MsgPack:1 uses, too'],
  ['msgpack', 'on a connection that ProtoBuf:1 uses, too'],
  ['protobuf', 'with merging'],
  ['msgpack', 'with merging'],
] as const)('%s %s', (protocol, where) => {
  const mixed = where.endsWith('too');
  const open = async (): Promise<Kong> => {
    if (!mixed) return kongs[protocol]();
    const handlers = Object.fromEntries(phases.map((phase) => [phase, otherHandler]));
    host.instances.set(other, testInstance(other, handlers));
    return MixedKong.open(protocol, other, await server.open());
  };
  const run = (handler: (channel: PhaseChannel) => unknown, overrides = {}) => {
    const handlers = Object.fromEntries(
      phases.map((phase) => [phase, (kong: unknown) => handler(kong as PhaseChannel)]),
    );
    host.instances.set(7, { ...testInstance(7, handlers, overrides), merges: where === 'with merging' });
  };

  test.each(phases)('a handler without calls in %s', async (phase) => {
    run(async () => later());
    const kong = await open();
    expect(await kong.event(7, phase)).toEqual({ methods: [], finished: true });
    expect(await kong.event(7, phase)).toEqual({ methods: [], finished: true });
    nothingLeft();
  });

  test('calls and sends keep the order of the program', async () => {
    const seen: unknown[] = [];
    run(async (kong) => {
      kong.send(setHeader, ['a', '1']);
      const first = kong.call(getMethod, []);
      kong.send(setHeader, ['b', '2']);
      const second = kong.call(row('kong.request.get_scheme'), []);
      seen.push(await second, await first);
      kong.send(setHeader, ['c', '3']);
    });
    const kong = await open();
    const answers: Answer = (method) =>
      method.endsWith('get_method') ? 'GET' : method.endsWith('get_scheme') ? 'http' : null;
    const { methods } = await kong.event(7, 'access', answers);
    // Getters of the request cannot see what is set in the response.
    expect(methods).toEqual(
      where === 'with merging'
        ? [getMethod.name, 'kong.request.get_scheme', 'kong.response.set_headers']
        : [setHeader.name, getMethod.name, setHeader.name, 'kong.request.get_scheme', setHeader.name],
    );
    expect(seen).toEqual(['http', 'GET']);
    // Answers to the last setters come after the end and are not taken for commands.
    expect((await kong.event(7, 'access', answers)).finished).toBe(true);
    nothingLeft();
  });

  test('a call whose arguments cannot be written says nothing, and the next one is heard', async () => {
    const seen: unknown[] = [];
    const endless: unknown[] = [];
    endless.push(endless);
    run(async (kong) => {
      await expect(kong.call(row('kong.ctx.shared.set'), ['k', endless])).rejects.toThrow(KongTsError);
      expect(() => kong.send(row('kong.ctx.shared.set'), ['k', endless])).toThrow(KongTsError);
      kong.send(setHeader, ['a', '1']);
      expect(() => kong.send(row('kong.ctx.shared.set'), ['k', endless])).toThrow(KongTsError);
      seen.push(await kong.call(getMethod, []));
    });
    const kong = await open();
    const answers: Answer = (method) => (method.endsWith('get_method') ? 'GET' : null);
    const { methods } = await kong.event(7, 'access', answers);
    expect([methods, seen]).toEqual([[setHeader.name, getMethod.name], ['GET']]);
    nothingLeft();
  });

  test.each(['rewrite', 'access', 'response'])('an exception in %s gives the client a 500', async (phase) => {
    run(async (kong) => {
      kong.send(setHeader, ['a', '1']);
      await later();
      throw new Error('boom');
    });
    const kong = await open();
    let args: unknown;
    const { methods, finished } = await kong.event(7, phase, (method, raw) => {
      if (method !== exit.name) return null;
      args = Buffer.isBuffer(raw) ? decodeArguments('ExitArgs', raw) : raw;
      return noAnswer;
    });
    expect(methods).toEqual([setHeader.name, exit.name]);
    expect(finished).toBe(false);
    const [status, body, headers] = args as [number, Buffer | string, Record<string, string>];
    expect([status, JSON.parse(body.toString()), headers['Content-Type']]).toEqual([
      500,
      { message: 'An unexpected error occurred' },
      expect.stringContaining('application/json'),
    ]);
    expect(host.lines).toHaveLength(1);
    expect(host.lines[0]).toMatchObject({ level: 'error', fields: { plugin: 'test', phase, instance: 7 } });
    expect(host.lines[0]?.message).toContain('boom');
    expect(host.lines[0]?.fields['stack']).toContain('behaviour.test');
    nothingLeft();
  });

  test.each(['preread', 'certificate'])(
    'an exception in %s ends the connection of the client',
    async (phase) => {
      run(() => {
        throw new Error('boom');
      });
      const kong = await open();
      let args: unknown;
      const { methods } = await kong.event(7, phase, (_method, raw) => {
        args = Buffer.isBuffer(raw) ? decodeArguments('ExitArgs', raw) : raw;
        return noAnswer;
      });
      expect(methods).toEqual([exit.name]);
      expect((args as unknown[]).filter((each) => each !== null)).toEqual([500]);
      nothingLeft();
    },
  );

  test('an exception in log is logged and the event ends', async () => {
    run(() => {
      throw new Error('boom');
    });
    const kong = await open();
    expect(await kong.event(7, 'log')).toEqual({ methods: [], finished: true });
    expect(host.lines).toHaveLength(1);
    nothingLeft();
  });

  test('onError continue lets the request through', async () => {
    run(() => Promise.reject(new Error('boom')), { onError: 'continue' });
    const kong = await open();
    expect(await kong.event(7, 'access')).toEqual({ methods: [], finished: true });
    nothingLeft();
  });

  test('a phase over its time is ended with a 500, and what it does later does no harm', async () => {
    let go = () => {};
    const late: unknown[] = [];
    run(async (kong) => {
      await new Promise<void>((resolve) => (go = resolve));
      await kong.call(getMethod, []).catch((error: unknown) => late.push(error));
      throw new Error('late');
    });
    const kong = await open();
    const event = kong.event(7, 'access', exits);
    while (lookAtRuntime(host).deadlines === 0) await later();
    host.clock.advance(29_000);
    expect(lookAtRuntime(host).events).toBe(1);
    host.clock.advance(2_000);
    expect(await event).toEqual({ methods: [exit.name], finished: false });
    expect(host.lines[0]).toMatchObject({ level: 'error', fields: { code: 'PHASE_TIMEOUT' } });
    expect(host.instances.get(7)?.stats.access.timeouts).toBe(1);
    go();
    await later();
    expect(late).toMatchObject([{ code: 'PDK_EVENT_ENDED' }]);
    expect(host.lines.map((line) => line.level)).toEqual(['error', 'warn']);
    nothingLeft();
  });

  test('nothing runs after exit, and nothing is sent', async () => {
    const after: unknown[] = [];
    run(async (kong) => {
      void kong.call(row('kong.request.get_scheme'), []);
      try {
        await Promise.all([
          kong.exit(exit, [403]),
          kong.call(getMethod, []).catch((error: unknown) => after.push(error)),
        ]);
        after.push('ran');
      } finally {
        await kong.call(getMethod, []).catch((error: unknown) => after.push(error));
        expect(() => kong.send(setHeader, ['a', 'b'])).toThrow(KongTsError);
      }
    });
    const kong = await open();
    const { methods } = await kong.event(7, 'access', exits);
    await later();
    expect(methods).toEqual(['kong.request.get_scheme', exit.name]);
    expect(after).toMatchObject([{ code: 'PDK_EVENT_ENDED' }, { code: 'PDK_EVENT_ENDED' }]);
    expect(host.lines).toEqual([]);
    expect(host.instances.get(7)?.stats.access.exits).toBe(1);
    nothingLeft();
  });

  test('an exit that nobody awaits is an exit', async () => {
    run((kong) => void kong.exit(exit, [204]));
    const kong = await open();
    expect(await kong.event(7, 'access', exits)).toEqual({ methods: [exit.name], finished: false });
    nothingLeft();
  });

  test.each([true, false])(
    'work that is held keeps the event open (async handler: %s)',
    async (asynchronous) => {
      run((kong) => {
        const work = async () => {
          await kong.call(getMethod, []);
          await kong.exit(exit, [403]);
        };
        kong.hold?.(work());
        return asynchronous ? Promise.resolve() : undefined;
      });
      const kong = await open();
      expect(await kong.event(7, 'access', exits)).toEqual({
        methods: [getMethod.name, exit.name],
        finished: false,
      });
      nothingLeft();
    },
  );

  test('work that is held and fails does no harm, and never lasts longer than the phase may', async () => {
    run((kong) => kong.hold?.(Promise.reject(new Error('its owner knows'))));
    const kong = await open();
    expect((await kong.event(7, 'access')).finished).toBe(true);
    run((kong) => kong.hold?.(new Promise(() => undefined)));
    const event = kong.event(7, 'access', exits);
    while (lookAtRuntime(host).deadlines === 0) await later();
    host.clock.advance(31_000);
    expect(await event).toEqual({ methods: [exit.name], finished: false });
    nothingLeft();
  });

  test.each([60_000, 20_000_000])('a body of %i bytes, both ways in one event', async (size) => {
    const body = Buffer.alloc(size, 'abc\xff', 'latin1');
    run(async (kong) => {
      const raw = await kong.call(row('kong.request.get_raw_body'), []);
      const bytes = Buffer.isBuffer(raw) ? raw : (raw as { content: Buffer }).content;
      kong.send(row('kong.service.request.set_raw_body'), [bytes]);
    });
    const kong = await open();
    let back: unknown;
    const { finished } = await kong.event(7, 'access', (method, args) => {
      if (method === 'kong.request.get_raw_body') return protocol === 'protobuf' ? { content: body } : body;
      back = Buffer.isBuffer(args) ? decodeArguments('ByteString', args)[0] : args[0];
      return null;
    });
    expect(finished).toBe(true);
    expect(Buffer.isBuffer(back) && back.equals(body)).toBe(true);
    nothingLeft();
  });

  test('an argument that cannot travel rejects its call and leaves the rest alone', async () => {
    const errors: unknown[] = [];
    run(async (kong) => {
      kong.send(setHeader, ['a', '1']);
      const loop: Record<string, unknown> = {};
      loop['loop'] = loop;
      await kong.call(row('kong.ctx.shared.set'), ['k', loop]).catch((error: unknown) => errors.push(error));
      kong.send(setHeader, ['b', '2']);
    });
    const kong = await open();
    expect(await kong.event(7, 'access')).toEqual({
      methods: [setHeader.name, setHeader.name],
      finished: true,
    });
    expect(errors).toMatchObject([{ code: 'PDK_INVALID_ARGUMENT' }]);
  });

  test('a connection that goes away in the middle of an event leaves nothing', async () => {
    const errors: unknown[] = [];
    run((kong) => kong.call(getMethod, []).catch((error: unknown) => errors.push(error)));
    const kong = await open();
    const { finished } = await kong.event(7, 'access', () => noAnswer);
    expect(finished).toBe(false);
    for (const client of kong.clients) client.end();
    for (const client of kong.clients) await client.until(() => client.closed, 'the close');
    await turns();
    if (protocol === 'msgpack') host.clock.advance(100_000);
    await turns();
    expect(errors).toHaveLength(1);
    nothingLeft();
    expect(lookAtRuntime(host).connections).toBe(0);
  });

  test('instances that are found later', async () => {
    run(() => undefined);
    const found = host.instances.get(7) ?? null;
    const slow: TestHost = testHost({
      findInstance: (id) => later().then(() => (id === 7 ? found : (slow.instances.get(id) ?? null))),
    });
    host = slow;
    const kong = await open();
    expect(await kong.event(7, 'log')).toEqual({ methods: [], finished: true });
  });
});

describe.each(['protobuf', 'msgpack'] as const)('an instance that cannot be run, over %s', (protocol) => {
  test.each(phases)('fails its event and not the connection: %s', async (phase) => {
    host = testHost({ findInstance: () => Promise.reject(new KongTsError('SETUP_FAILED', 'no database')) });
    const kong = await kongs[protocol]();
    const answerable = phase !== 'log';
    expect(await kong.event(7, phase, exits)).toEqual({
      methods: answerable ? [exit.name] : [],
      finished: !answerable,
    });
    expect(host.lines).toMatchObject([
      { level: 'error', fields: { phase, instance: 7, code: 'SETUP_FAILED' } },
    ]);
    expect(kong.clients.some((client) => client.ended)).toBe(false);
    nothingLeft();
  });
});

test('msgpack: a call that Kong abandons in log ends with an error after five seconds, and nothing is pending', async () => {
  const failures: unknown[] = [];
  host.instances.set(
    7,
    testInstance(7, {
      log: async (given) => {
        const kong = given as PhaseChannel;
        kong.send(row('kong.ctx.shared.set'), ['k', 1]);
        const calls = [getMethod, row('kong.log.serialize')].map((each) => kong.call(each, []));
        for (const result of await Promise.allSettled(calls)) {
          failures.push(result.status === 'rejected' ? result.reason : null);
        }
      },
    }),
  );
  const kong = await kongs.msgpack();
  const { methods } = await kong.event(7, 'log', (method) => (method === getMethod.name ? noAnswer : null));
  expect(methods).toEqual(['kong.ctx.shared.set', getMethod.name]);
  host.clock.advance(4900);
  await turns();
  expect(failures).toEqual([]);
  host.clock.advance(400);
  await turns();
  expect(failures).toMatchObject([{ code: 'PDK_CALL_FAILED' }, { code: 'PDK_CALL_FAILED' }]);
  expect(String(failures[0])).toContain('Kong has not answered kong.request.get_method for 5 seconds');
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
});

describe('unknown instances', () => {
  test('protobuf: the connection ends cleanly', async () => {
    const client = await server.open();
    const kong = new ProtobufKong(client);
    await expect(kong.event(99, 'access')).rejects.toThrow('closed');
    await client.until(() => client.closed, 'the close');
    expect(host.lines).toHaveLength(1);
    await turns();
    expect(lookAtRuntime(host)).toEqual({ connections: 0, events: 0, steppedEvents: 0, deadlines: 0 });
  });

  test('msgpack: the text that Kong looks for', async () => {
    const kong = await kongs.msgpack();
    expect((await kong.event(99, 'access')).error).toBe('No plugin instance #99');
  });
});

describe('writes over ProtoBuf:1', () => {
  const access = (handler: (kong: PhaseChannel) => unknown) =>
    host.instances.set(7, testInstance(7, { access: (kong) => handler(kong as PhaseChannel) }));

  test('a handler without calls costs one', async () => {
    access(async () => undefined);
    const client = await server.open();
    await new ProtobufKong(client).event(7, 'access');
    expect(client.chunks).toHaveLength(1);
  });

  test('20 getters and 20 setters that are started together leave in one, also through helpers', async () => {
    const helper = async (kong: PhaseChannel) => {
      await Promise.resolve();
      await Promise.resolve();
      return kong.call(getMethod, []);
    };
    access(async (kong) => {
      const calls = Array.from({ length: 20 }, (_, index) => {
        kong.send(setHeader, ['x', String(index)]);
        return index % 2 === 0 ? helper(kong) : kong.call(getMethod, []);
      });
      await Promise.all(calls);
    });
    const client = await server.open();
    const { methods } = await new ProtobufKong(client).event(7, 'access', (name) =>
      name === getMethod.name ? 'GET' : null,
    );
    expect(methods).toHaveLength(40);
    expect(client.chunks).toHaveLength(2);
  });

  test('setters alone leave with the end', async () => {
    access(async (kong) => {
      kong.send(setHeader, ['a', '1']);
      await later();
      kong.send(setHeader, ['b', '2']);
    });
    const client = await server.open();
    await new ProtobufKong(client).event(7, 'access');
    expect(client.chunks).toHaveLength(1);
  });
});
