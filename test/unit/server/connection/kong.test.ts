import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import { phases } from '../../../../src/pdk/names/phases.ts';
import { lookAtRuntime, serveConnection } from '../../../../src/server/connection/index.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { MsgpackKong, noAnswer, ProtobufKong } from '../../../support/fake-kong.ts';
import type { Answer } from '../../../support/fake-kong.ts';
import { listenUnix, turns } from '../../../support/unix-server.ts';
import type { Client, UnixServer } from '../../../support/unix-server.ts';

/** The real PDK over the real connections: what a plugin's author sees. */
let host: TestHost;
let server: UnixServer;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);

beforeEach(async () => {
  host = testHost({ createKong });
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
  server = await listenUnix((socket) => void serveConnection(socket, host));
});
afterEach(async () => {
  await server.close();
  await turns();
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

const run = (handler: (kong: KongApi) => unknown, overrides = {}) => {
  const handlers = Object.fromEntries(
    phases.map((phase) => [phase, (kong: unknown) => handler(kong as KongApi)]),
  );
  host.instances.set(7, testInstance(7, handlers, overrides));
};
const open = {
  protobuf: async () => new ProtobufKong(await server.open()),
  msgpack: async () => new MsgpackKong(await server.open(), await server.open()),
};
const ending = new Set(['kong.response.exit', 'kong.response.error']);
const answers: Answer = (method) => {
  if (ending.has(method)) return noAnswer;
  if (method === 'kong.request.get_raw_body') return { content: Buffer.from('text') };
  return method.startsWith('kong.request.get') || method === 'kong.nginx.get_var' ? 'text' : null;
};
const nothingLeft = () =>
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, steppedEvents: 0, deadlines: 0 });
const codes = (reasons: unknown[]) => reasons.map((reason) => (reason as { code?: string }).code);

describe.each(['protobuf', 'msgpack'] as const)('over %s', (protocol) => {
  test('calls that nobody awaits when the handler exits are not unhandled rejections', async () => {
    run(async (kong) => {
      void kong.request.getMethod();
      void kong.request.getRawBody();
      void kong.request.getBody('application/json');
      await kong.response.exit(403);
    });
    const kong = await open[protocol]();
    const { methods } = await kong.event(7, 'access', answers);
    expect(methods.at(-1)).toBe('kong.response.exit');
    expect(host.lines).toEqual([]);
    nothingLeft();
  });

  test.each(['exit', 'error'] as const)('nothing runs and nothing is sent after %s', async (how) => {
    const refused: unknown[] = [];
    const ran: string[] = [];
    const helper = async (kong: KongApi) => {
      await kong.response.setHeader('x-helper', 'a');
      ran.push('helper');
    };
    run(async (kong) => {
      await kong.response.setHeader('x-before', '1');
      try {
        await Promise.all([
          kong.response[how](403),
          kong.response.setHeader('x-beside', '2').catch((error: unknown) => refused.push(error)),
          helper(kong),
        ]);
        ran.push('after');
      } finally {
        await kong.request.getMethod().catch((error: unknown) => refused.push(error));
        await kong.service.request.setHeader('x-finally', '3').catch((error: unknown) => refused.push(error));
      }
    });
    const kong = await open[protocol]();
    const { methods } = await kong.event(7, 'access', answers);
    await turns();
    expect(methods.filter((method) => method.includes('.set_'))).toEqual(['kong.response.set_header']);
    expect(methods).not.toContain('kong.request.get_method');
    expect(ending.has(methods.at(-1) ?? '')).toBe(true);
    expect(ran).toEqual([]);
    expect(codes(refused)).toEqual(['PDK_EVENT_ENDED', 'PDK_EVENT_ENDED', 'PDK_EVENT_ENDED']);
    expect(host.lines).toEqual([]);
    expect(host.instances.get(7)?.stats.access).toMatchObject({ events: 1, exits: 1, errors: 0 });
    nothingLeft();
  });

  test('an error that nobody awaits ends the request, whatever the handler does then', async () => {
    run((kong) => {
      void kong.response.error(403);
      throw new Error('and this');
    });
    const kong = await open[protocol]();
    const { methods } = await kong.event(7, 'access', answers);
    expect(ending.has(methods.at(-1) ?? '')).toBe(true);
    expect(methods.filter((method) => ending.has(method))).toHaveLength(1);
    expect(host.lines).toMatchObject([{ level: 'warn' }]);
    nothingLeft();
  });

  test('a handler that catches the exit goes on in JavaScript, not at Kong', async () => {
    const ran: unknown[] = [];
    run(async (kong) => {
      try {
        await kong.response.exit(403);
      } catch (error) {
        ran.push((error as Error).name);
      }
      await kong.response.setHeader('x', 'y');
    });
    const kong = await open[protocol]();
    expect((await kong.event(7, 'access', answers)).methods).toEqual(['kong.response.exit']);
    await turns();
    expect(ran).toEqual(['ExitSignal']);
    expect(host.lines).toEqual([]);
  });

  const hostile = {
    get message(): string {
      throw new Error('not even this');
    },
  };
  const errorWithoutStack = Object.defineProperty(new Error('x'), 'stack', {
    get: () => {
      throw new Error('no stack');
    },
  });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a symbol', Symbol('s')],
    ['an object without prototype', Object.create(null)],
    ['a hostile object', Object.create(Error.prototype, Object.getOwnPropertyDescriptors(hostile))],
    ['an error whose stack throws', errorWithoutStack],
    ['a revoked proxy', revoked.proxy],
  ])('whatever is thrown, Kong is answered: %s', async (_what, thrown) => {
    for (const asynchronous of [true, false]) {
      run(() => {
        if (asynchronous) return Promise.reject(thrown as Error);
        throw thrown as Error;
      });
      const kong = await open[protocol]();
      expect((await kong.event(7, 'access', answers)).methods).toEqual(['kong.response.exit']);
    }
    expect(host.lines).toHaveLength(2);
    nothingLeft();
  });
});

describe('writes over ProtoBuf:1', () => {
  const event = async (): Promise<{ client: Client; methods: string[] }> => {
    const client = await server.open();
    const { methods } = await new ProtobufKong(client).event(7, 'access', answers);
    return { client, methods };
  };

  test('20 getters and 20 setters that are started together are one', async () => {
    const values: unknown[] = [];
    run(async (kong) => {
      const calls = Array.from({ length: 20 }, (_, index) => [
        kong.request.getHeader(`x-${index}`),
        kong.service.request.setHeader(`y-${index}`, String(index)),
      ]);
      values.push(...(await Promise.all(calls.flat())));
    });
    const { client, methods } = await event();
    expect(methods).toHaveLength(40);
    expect(values.filter((value) => value === 'text')).toHaveLength(20);
    // One for the calls, one that says that the handler is done.
    expect(client.chunks).toHaveLength(2);
  });

  test('a handler without calls, or with setters and logs only, costs one', async () => {
    run(async () => undefined);
    expect((await event()).client.chunks).toHaveLength(1);
    run(async (kong) => {
      await kong.log.notice('hello');
      await kong.response.setHeader('a', '1');
      await turns(2);
      await kong.ctx.shared.set('k', { deep: ['value'] });
    });
    const { client, methods } = await event();
    expect(methods).toEqual(['kong.log.notice', 'kong.response.set_header', 'kong.ctx.shared.set']);
    expect(client.chunks).toHaveLength(1);
  });

  test('composed functions that are started together ask together', async () => {
    run((kong) =>
      Promise.all([kong.request.getRawPath(), kong.request.getQueryArg('a'), kong.request.getHeader('b')]),
    );
    expect((await event()).client.chunks).toHaveLength(2);
  });
});
