import { describe, expect, it } from 'vitest';
import { definePlugin } from '../../../src/index.ts';
import type { ContextValues, FunctionRow, Phase, Protocol } from '../../../src/pdk/index.ts';
import { createKong } from '../../../src/pdk/index.ts';
import { KongTsError } from '../../../src/base/errors.ts';
import { compileKongPdk } from '../../../src/plugin/kong-pdk/compile.ts';
import { bridge } from '../../../src/plugin/kong-pdk/bridge.ts';
import { testPlugin } from '../../../src/testing/index.ts';
import { FakeChannel } from '../pdk/fake-channel.ts';

const protocols = ['protobuf', 'msgpack'] as const;
type Store = 'shared' | 'nginx';
const stores = ['shared', 'nginx'] as const;

interface Context {
  readonly ctx: {
    readonly shared: { get(key: string): Promise<unknown>; set(key: string, value: never): Promise<void> };
  };
  readonly nginx: { getCtx(key: string): Promise<unknown>; setCtx(key: string, value: never): Promise<void> };
}
const read = (kong: Context, store: Store, key: string) =>
  store === 'shared' ? kong.ctx.shared.get(key) : kong.nginx.getCtx(key);
const write = (kong: Context, store: Store, key: string, value: unknown) =>
  store === 'shared' ? kong.ctx.shared.set(key, value as never) : kong.nginx.setCtx(key, value as never);

/** A Lua function, as far as Kong's end is concerned: nothing that can be sent. */
const luaFunction = () => 1;

/** A channel of a request whose context this is. */
class Contextual extends FakeChannel {
  readonly context: ContextValues;
  readonly misses: string[] = [];
  readonly #values: Map<unknown, unknown>;

  constructor(protocol: Protocol, phase: Phase, values: Map<unknown, unknown>, vouched: readonly string[]) {
    super(protocol, phase, (name, [key]) => {
      const value = values.get(key);
      if (typeof value === 'function') throw new KongTsError('PDK_CALL_FAILED', `${name}: Kong has raised`);
      return value ?? null;
    });
    this.#values = values;
    this.context = {
      vouched: new Set(vouched),
      unanswered: new Set(),
      keep: () => true,
      missed: (path, key) => this.misses.push(`${path} ${key}`),
    };
  }

  override send(row: FunctionRow, args: readonly unknown[]): void {
    super.send(row, args);
    this.#values.set(args[0], args[1]);
  }
}

/** The context of one request, and a channel of two of its phases. */
function channels(protocol: Protocol, vouched: readonly string[] = []) {
  const values = new Map<unknown, unknown>();
  const of = (phase: Phase) => new Contextual(protocol, phase, values, vouched);
  return { values, access: of('access'), log: of('log') };
}

describe.each(protocols)('values in the context over %s', (protocol) => {
  it.each(stores)(
    'a log handler gets what its plugin has set, whatever Lua has made of it since: %s',
    async (store) => {
      const { values, access, log } = channels(protocol);
      await write(createKong(access), store, 'user', { name: 'alice' });
      expect(values.get('user')).toEqual({ name: 'alice' });
      values.set('user', luaFunction);
      expect(await read(createKong(log), store, 'user')).toEqual({ name: 'alice' });
      expect(log.misses).toEqual([]);
    },
  );

  it.each(stores)('what Lua has left is not asked for in log, and that is said: %s', async (store) => {
    const { values, log } = channels(protocol);
    values.set('groups', luaFunction);
    expect(await read(createKong(log), store, 'groups')).toBeNull();
    expect(log.misses).toEqual([
      store === 'shared' ? 'kong.ctx.shared.get groups' : 'kong.nginx.getCtx groups',
    ]);
  });

  it.each(stores)(
    'a name that the author vouches for is asked for until Kong does not answer: %s',
    async (store) => {
      const { values, log } = channels(protocol, ['groups']);
      values.set('groups', ['a', 'b']);
      expect(await read(createKong(log), store, 'groups')).toEqual(['a', 'b']);
      values.set('groups', luaFunction);
      await expect(read(createKong(log), store, 'groups')).rejects.toMatchObject({ code: 'PDK_CALL_FAILED' });
      const asked = log.sent.length;
      await expect(read(createKong(log), store, 'groups')).rejects.toMatchObject({
        code: 'PDK_NOT_IN_PHASE',
      });
      expect(log.sent.length).toBe(asked);
    },
  );

  it.each([[[]], [['groups']]])(
    'a call that is awaited later is no unhandled rejection: %j',
    async (vouched) => {
      const { values, log } = channels(protocol, vouched);
      for (const key of ['groups', 'kong-ts.log.groups']) values.set(key, luaFunction);
      const unhandled: unknown[] = [];
      const listener = (reason: unknown) => unhandled.push(reason);
      process.on('unhandledRejection', listener);
      const early = read(createKong(log), 'shared', 'groups');
      await new Promise((resolve) => setTimeout(resolve, 1));
      process.off('unhandledRejection', listener);
      await expect(early).rejects.toMatchObject({ code: 'PDK_CALL_FAILED' });
      expect(unhandled).toEqual([]);
    },
  );

  it('what Kong itself keeps as text or a number is asked for by its own name', async () => {
    const { values, log } = channels(protocol);
    values.set('KONG_PROXY_LATENCY', 7).set('request_id', 'r1');
    const { nginx } = createKong(log);
    expect([await nginx.getCtx('KONG_PROXY_LATENCY'), await nginx.getCtx('request_id')]).toEqual([7, 'r1']);
    await expect(nginx.getCtx('KONG_LOG')).rejects.toMatchObject({ code: 'PDK_INVALID_ARGUMENT' });
  });

  it('a plugin finds in log what it has set in access, and its test sees the calls that it made', async () => {
    const seen: unknown[] = [];
    const plugin = definePlugin({
      name: 'carries',
      version: '1.0.0',
      protocol,
      access: async (kong) => {
        await kong.ctx.shared.set('user', { name: 'alice' });
        await kong.nginx.setCtx('mine', 3);
      },
      log: async (kong) => {
        seen.push(await kong.ctx.shared.get('user'), await kong.nginx.getCtx('mine'));
        seen.push(await kong.ctx.shared.get('left'));
      },
    });
    await using t = await testPlugin(plugin, { leftByLua: { shared: { left: luaFunction } } });
    const { calls, failure, logs } = await t.run();
    expect(failure).toBeNull();
    expect(seen).toEqual([{ name: 'alice' }, 3, null]);
    expect(calls.map(({ function: name, arguments: args }) => [name, args[0]])).toEqual([
      ['ctx.shared.set', 'user'],
      ['nginx.setCtx', 'mine'],
      ['ctx.shared.get', 'user'],
      ['nginx.getCtx', 'mine'],
      ['ctx.shared.get', 'left'],
    ]);
    const warnings = logs.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining(
        'kong.ctx.shared.get("left") is null, because no plugin of this server has set it',
      ),
    ]);
    await t.request().run();
    expect(t.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('readsInLog lets a log handler read what Lua has left', async () => {
    const seen: unknown[] = [];
    const plugin = definePlugin({
      name: 'reads',
      version: '1.0.0',
      protocol,
      readsInLog: ['groups'],
      log: async (kong) => {
        seen.push(await kong.ctx.shared.get('groups'));
      },
    });
    await using t = await testPlugin(plugin, { leftByLua: { shared: { groups: ['a'] } } });
    expect((await t.run()).failure).toBeNull();
    expect(seen).toEqual([['a']]);
  });

  it('a plugin alone without a log handler sets a value once', async () => {
    const plugin = definePlugin({
      name: 'sets',
      version: '1.0.0',
      protocol,
      access: (kong) => kong.ctx.shared.set('user', 'alice'),
    });
    await using t = await testPlugin(plugin);
    await t.access();
    expect(Buffer.concat(t.wire.map(({ bytes }) => bytes)).toString('latin1')).not.toContain('kong-ts.log.');
  });
});

describe('a plugin for kong-pdk', () => {
  it('finds in log what it has set, and says ReadsInLog for what Lua has left', async () => {
    const seen: unknown[] = [];
    class Plugin {
      async access(kong: Context) {
        await kong.ctx.shared.set('user', { tags: ['x'], gone: null } as never);
      }
      async log(kong: Context) {
        for (const key of ['user', 'groups', 'left']) seen.push(await kong.ctx.shared.get(key));
      }
    }
    const plugin = compileKongPdk(
      { Plugin, Name: 'old', Version: '1.0.0', ReadsInLog: ['groups'] },
      'old.js',
    );
    await using t = await testPlugin(plugin, { leftByLua: { shared: { groups: ['a'], left: luaFunction } } });
    expect((await t.run()).failure).toBeNull();
    expect(seen).toEqual([{ tags: ['x'] }, ['a'], undefined]);
    expect(() => compileKongPdk({ Plugin, ReadsInLog: 'groups' as never }, 'old.js')).toThrow(/readsInLog/);
  });

  it('what not each protocol can send again is not kept', async () => {
    const { values, access } = channels('msgpack');
    const kong = bridge(access) as unknown as Context;
    const gap = Object.assign([], { 1: 2 });
    for (const value of [[null, 2], gap, { list: gap }, new Date(0), new Map([[2, 'x']])]) {
      await kong.ctx.shared.set('k', value as never);
      expect(values.get('kong-ts.log.k')).toBeNull();
      values.delete('kong-ts.log.k');
    }
    await kong.ctx.shared.set('bytes', Buffer.from('b') as never);
    expect(values.get('kong-ts.log.bytes')).toEqual(Buffer.from('b'));
  });
});
