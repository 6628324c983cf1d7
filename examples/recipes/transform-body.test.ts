import { describe, expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './transform-body.ts';

const json = { 'content-type': 'application/json' };

describe('a request', () => {
  const send = async (body: string, headers: Record<string, string | string[]> = json) => {
    await using t = await testPlugin(plugin, {
      config: { set: { tenant: 'blue' }, max_bytes: 20_000 },
      request: { method: 'POST', headers, body },
    });
    return await t.access();
  };

  it('gets its fields, and keeps numbers that JavaScript cannot hold', async () => {
    const { upstream } = await send('{"id": 12345678901234567890, "price": 1.10, "tenant": "red"}');
    expect(upstream?.text).toBe('{"id":12345678901234567890,"price":1.10,"tenant":"blue"}');
    expect(upstream?.headers['accept-encoding']).toBe('identity');
  });

  it('is changed, too, where Kong keeps it on disk', async () => {
    const { upstream } = await send(JSON.stringify({ text: 'x'.repeat(15_000) }));
    expect(upstream?.json).toMatchObject({ tenant: 'blue' });
  });

  it.each([
    [400, '{"a":', json],
    [400, '["a"]', json],
    [415, 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
    [415, '{}', { ...json, 'content-encoding': 'gzip' }],
    [413, JSON.stringify({ text: 'x'.repeat(20_000) }), json],
  ])('is refused with %i where it cannot be changed', async (status, body, headers) => {
    expect((await send(body, headers)).exit?.status).toBe(status);
  });

  it('has the one type that was looked at', async () => {
    const { upstream } = await send('{}', { 'content-type': ['application/json', 'text/plain'] });
    expect(upstream?.headers['content-type']).toBe('application/json');
  });

  it('without a body goes on as it is', async () => {
    await using t = await testPlugin(plugin, { config: { set: { tenant: 'blue' } } });
    const { exit, upstream } = await t.access();
    expect([exit, upstream?.text]).toEqual([null, '']);
  });
});

describe('a response', () => {
  const answer = async (body: string, headers: Record<string, string> = json) => {
    await using t = await testPlugin(plugin, {
      config: { hide: ['password'], max_bytes: 1000 },
      response: { status: 201, headers: { ...headers, etag: '"1"' }, body },
    });
    return await t.run();
  };

  it('loses fields at any depth, and what described the whole body', async () => {
    const { response } = await answer(
      '{"id":1e400,"users":[{"name":"a","password":"x"}],"password":{"a":1}}',
    );
    expect(response).toMatchObject({ status: 201, text: '{"id":1e400,"users":[{"name":"a"}]}' });
    expect(response?.headers).not.toHaveProperty('etag');
  });

  it.each([
    ['cannot be parsed', '{"password":"x"', json],
    ['is compressed', 'gzip', { ...json, 'content-encoding': 'gzip' }],
    ['is too long', JSON.stringify({ text: 'x'.repeat(1000) }), json],
  ])('that %s does not reach the client', async (_what, body, headers) => {
    expect((await answer(body, headers)).response?.status).toBe(502);
  });

  it('cannot be had without its response handler', async () => {
    await using t = await testPlugin(plugin, {
      config: { hide: ['password'] },
      request: { headers: { upgrade: 'websocket' } },
    });
    expect((await t.access()).exit?.status).toBe(400);
  });

  it('that is not JSON stays as it is', async () => {
    const { response } = await answer('password', { 'content-type': 'text/plain' });
    expect(response).toMatchObject({ status: 201, text: 'password' });
  });
});
