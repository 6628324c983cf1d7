// Run it with: npx vitest run
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PluginTest } from 'kong-ts/testing';
import { testPlugin } from 'kong-ts/testing';
import quota from '../quota.ts';

describe.each(['protobuf', 'msgpack'] as const)('quota over %s', (protocol) => {
  let t: PluginTest;

  beforeEach(async () => {
    t = await testPlugin(quota, { protocol, config: { limit: 2 }, consumer: { username: 'ada' } });
  });
  afterEach(() => t.close());

  it('counts the requests of a consumer', async () => {
    const { upstream, response, roundTrips } = await t.access();
    expect(upstream?.headers).toMatchObject({ 'x-consumer': 'ada' });
    expect(response?.headers).toMatchObject({ 'x-quota-left': '1' });
    expect(roundTrips).toBe(protocol === 'protobuf' ? 1 : 3);
  });

  it('counts consumers apart', async () => {
    await t.run();
    await t.request().run();
    expect((await t.request().run()).exit).toMatchObject({
      status: 429,
      json: { message: 'Quota exceeded' },
    });
    expect((await t.request({ consumer: { username: 'bob' } }).run()).exit).toBeNull();
    expect(t.metrics).toMatchObject([{ name: 'quota_refused_total', values: [{ value: 1 }] }]);
  });

  it('gives in when Kong does not know the consumer', async () => {
    t.request({ override: { 'client.getConsumer': () => null } });
    const { exit, calls } = await t.access();
    expect(exit?.status).toBe(401);
    expect(calls[0]).toMatchObject({ function: 'client.getConsumer', result: null, overridden: true });
  });

  it('starts anew with another configuration', async () => {
    await t.configure({ limit: 1, header: 'x-left' });
    expect((await t.access()).response?.headers).toMatchObject({ 'x-left': '0' });
  });
});
