import { afterEach, describe, expect, test } from 'vitest';
import { send } from './support/client.ts';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';

let gateway: TestGateway;

afterEach(async () => gateway.close());

async function start(config: object = {}): Promise<string> {
  gateway = await testGateway({
    phases: ['log'],
    config: (port) => ({
      _format_version: '3.0',
      services: [
        { name: 's', url: `http://127.0.0.1:${String(port)}`, routes: [{ name: 'r', paths: ['/'] }] },
      ],
      consumers: [
        { username: 'alice', custom_id: 'c-1', keyauth_credentials: [{ key: 'alicekey' }] },
        { username: 'nobody' },
      ],
      plugins: [{ name: 'key-auth', config }],
    }),
  });
  return gateway.sandbox.proxyUrl ?? '';
}

describe('key-auth', () => {
  test('no key, a wrong key, two keys', async () => {
    const url = await start({ realm: 'here' });
    const none = await send(url);
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Key realm="here"']);
    expect(none.text).toContain('No API key found in request');
    expect((await send(`${url}/?apikey=wrong`)).text).toContain('Unauthorized');
    expect((await send(`${url}/?apikey=a&apikey=b`)).text).toContain('Duplicate API key found');
    expect(gateway.upstream.requests).toHaveLength(0);
  });

  test('a key in header or query names the consumer; headers of the client cannot', async () => {
    const url = await start();
    await send(url, {
      headers: { apikey: 'alicekey', 'x-consumer-username': 'root', 'x-anonymous-consumer': 'true' },
    });
    const { headers } = gateway.upstream.requests[0] ?? { headers: {} };
    expect(headers).toMatchObject({
      'x-consumer-username': 'alice',
      'x-consumer-custom-id': 'c-1',
      apikey: 'alicekey',
    });
    expect(headers).not.toHaveProperty('x-anonymous-consumer');
  });

  test('hidden keys do not reach the upstream', async () => {
    const url = await start({ hide_credentials: true, key_in_body: true });
    await send(`${url}/?a=1&apikey=alicekey`, { headers: { apikey: 'alicekey' } });
    expect(gateway.upstream.requests[0]?.url).toBe('/?a=1');
    expect(gateway.upstream.requests[0]?.headers).not.toHaveProperty('apikey');
    await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'apikey=alicekey&b=2',
    });
    expect(gateway.upstream.requests[1]?.body.toString()).toBe('b=2');
  });

  test('an anonymous consumer stands in', async () => {
    const url = await start({ anonymous: 'nobody' });
    expect((await send(url)).status).toBe(200);
    expect(gateway.upstream.requests[0]?.headers).toMatchObject({
      'x-consumer-username': 'nobody',
      'x-anonymous-consumer': 'true',
    });
  });
});
