import { describe, expect, it } from 'vitest';
import { testPlugin } from '../../../src/testing/index.ts';
import { protocols, withAccess } from './plugins.ts';

describe('what calls cost', () => {
  const silent = withAccess(() => undefined);
  const settersOnly = withAccess(async (kong) => {
    for (let n = 0; n < 20; n++) await kong.response.setHeader(`x-${n}`, 'v');
  });
  const oneByOne = withAccess(async (kong) => {
    for (let n = 0; n < 5; n++) await kong.request.getHeader(`x-${n}`);
  });
  const together = withAccess(async (kong) => {
    const getters = Array.from({ length: 20 }, (_, n) => kong.request.getHeader(`x-${n}`));
    const setters = getters.map((_, n) => kong.response.setHeader(`x-${n}`, 'v'));
    await Promise.all([...getters, ...setters]);
  });
  const exiting = withAccess(async (kong) => {
    await kong.response.setHeader('x', await kong.request.getMethod());
    await kong.response.exit(200);
  });

  const cost = async (plugin: typeof silent, protocol: 'protobuf' | 'msgpack') => {
    await using t = await testPlugin(plugin, { protocol });
    const first = await t.access();
    const { roundTrips, writes, calls } = await t.request().access();
    expect([first.roundTrips, first.writes]).toEqual([roundTrips, writes]);
    return { roundTrips, writes, calls: calls.length };
  };

  it('over ProtoBuf:1', async () => {
    expect(await cost(silent, 'protobuf')).toEqual({ roundTrips: 0, writes: 1, calls: 0 });
    expect(await cost(settersOnly, 'protobuf')).toEqual({ roundTrips: 0, writes: 1, calls: 20 });
    expect(await cost(oneByOne, 'protobuf')).toEqual({ roundTrips: 5, writes: 6, calls: 5 });
    expect(await cost(together, 'protobuf')).toEqual({ roundTrips: 1, writes: 2, calls: 40 });
    expect(await cost(exiting, 'protobuf')).toEqual({ roundTrips: 1, writes: 2, calls: 3 });
  });

  it('over MsgPack:1, where each call is a step', async () => {
    expect(await cost(silent, 'msgpack')).toEqual({ roundTrips: 0, writes: 1, calls: 0 });
    expect(await cost(settersOnly, 'msgpack')).toEqual({ roundTrips: 20, writes: 21, calls: 20 });
    expect(await cost(together, 'msgpack')).toEqual({ roundTrips: 40, writes: 41, calls: 40 });
    expect(await cost(exiting, 'msgpack')).toEqual({ roundTrips: 2, writes: 3, calls: 3 });
  });

  it.each(protocols)('%s: the bytes are there to look at', async (protocol) => {
    await using t = await testPlugin(oneByOne, { protocol });
    await t.access();
    const text = Buffer.concat(t.wire.filter(({ from }) => from === 'server').map(({ bytes }) => bytes));
    expect(text.toString('latin1')).toContain('kong.request.get_header');
    expect(t.wire.some(({ from }) => from === 'kong')).toBe(true);
  });

  it('is counted for each of several plugins that are tested at once', async () => {
    const tests = await Promise.all([silent, oneByOne].map((plugin) => testPlugin(plugin)));
    const results = await Promise.all(tests.map((t) => t.access()));
    expect(results.map(({ roundTrips }) => roundTrips)).toEqual([0, 5]);
    await Promise.all(tests.map((t) => t.close()));
  });
});
