import { describe, expect, it } from 'vitest';
import { definePlugin } from '../../../src/index.ts';
import type { TestPluginOptions } from '../../../src/testing/index.ts';
import { testPlugin } from '../../../src/testing/index.ts';
import { protocols, withAccess } from './plugins.ts';

/** What a plugin sees of a described request, over either protocol. */
async function seen(options: TestPluginOptions): Promise<Record<string, unknown>> {
  let found: Record<string, unknown> = {};
  const plugin = withAccess(async (kong) => {
    const { request, client, router } = kong;
    const asked = {
      method: request.getMethod(),
      scheme: request.getScheme(),
      host: request.getHost(),
      port: request.getPort(),
      path: request.getPath(),
      rawQuery: request.getRawQuery(),
      query: request.getQuery(),
      headers: request.getHeaders(),
      body: request.getRawBody().then(String),
      version: request.getHttpVersion(),
      captures: request.getUriCaptures(),
      ip: client.getIp(),
      forwardedIp: client.getForwardedIp(),
      consumer: client.getConsumer(),
      credential: client.getCredential(),
      route: router.getRoute(),
      service: router.getService(),
    };
    const values = await Promise.all(Object.values(asked));
    found = Object.fromEntries(Object.keys(asked).map((name, at) => [name, values[at]]));
  });
  const t = await testPlugin(plugin, options);
  const { error, failure } = await t.access();
  await t.close();
  expect({ error, failure }).toEqual({ error: null, failure: null });
  return found;
}

describe.each(protocols)('a described request over %s', (protocol) => {
  it('is a sensible one when nothing is described', async () => {
    expect(await seen({ protocol })).toMatchObject({
      method: 'GET',
      scheme: 'http',
      host: 'localhost',
      port: 8000,
      path: '/',
      rawQuery: '',
      query: {},
      headers: { host: 'localhost:8000', accept: '*/*' },
      body: '',
      version: 1.1,
      captures: { unnamed: [], named: {} },
      ip: '127.0.0.1',
      consumer: null,
      credential: null,
      route: { name: 'test-route', paths: ['/'], protocols: ['http', 'https'], strip_path: true },
      service: { name: 'test-service', host: 'upstream.test', port: 80, protocol: 'http', retries: 5 },
    });
  });

  it('is what the description says', async () => {
    const found = await seen({
      protocol,
      request: {
        method: 'post',
        url: 'https://api.example.com/users/7%2F8?x=1&flag&x=2',
        headers: { 'X-Name': 'Ada', 'x-two': ['a', 'b'] },
        body: { hello: 'wörld' },
        clientIp: '10.1.2.3',
        httpVersion: '1.0',
      },
      route: { name: 'users', paths: ['~/users/(?<id>[^/]+)'], strip_path: false },
      service: {
        name: 'people',
        url: undefined,
        host: 'people.internal',
        port: 8443,
        protocol: 'https',
      } as object,
      consumer: { username: 'ada', custom_id: 'A1', tags: ['vip'] },
    });
    expect(found).toMatchObject({
      method: 'POST',
      scheme: 'https',
      host: 'api.example.com',
      port: 443,
      query: { x: ['1', '2'], flag: true },
      headers: {
        'x-name': 'Ada',
        'x-two': ['a', 'b'],
        'content-type': 'application/json',
        'content-length': '18',
      },
      body: '{"hello":"wörld"}',
      version: 1,
      ip: '10.1.2.3',
      consumer: { username: 'ada', custom_id: 'A1', tags: ['vip'] },
      route: { name: 'users' },
      service: { name: 'people', host: 'people.internal', port: 8443, protocol: 'https' },
    });
    expect(found['captures']).toMatchObject({
      unnamed: [expect.any(String) as string],
      named: { id: expect.any(String) as string },
    });
    const { id } = found['consumer'] as { id: string };
    expect(found['credential']).toMatchObject({ consumer_id: id });
  });

  it('takes path, host and method from its route', async () => {
    const found = await seen({
      protocol,
      route: { paths: ['/orders'], hosts: ['shop.test'], methods: ['PUT'], protocols: ['https'] },
    });
    expect(found).toMatchObject({
      method: 'PUT',
      host: 'shop.test',
      path: '/orders',
      scheme: 'https',
      port: 8443,
    });
  });

  it('keeps a large body in a file, as Kong does', async () => {
    const body = 'x'.repeat(20_000);
    const found = await seen({ protocol, request: { method: 'POST', body } });
    expect(found['body'] === body).toBe(true);
  });

  it('trusts X-Forwarded-* and X-Real-IP where the client is trusted', async () => {
    const request = { headers: { 'x-real-ip': '9.9.9.9' } };
    expect(await seen({ protocol, request })).toMatchObject({ forwardedIp: '127.0.0.1' });
    const trusted = await seen({ protocol, request: { ...request, trusted: true } });
    expect(trusted).toMatchObject({ forwardedIp: '9.9.9.9' });
  });
});

describe('a description', () => {
  const plugin = withAccess(() => undefined);

  it('knows other consumers and the workspace', async () => {
    let found: unknown;
    const loading = definePlugin({
      name: 'loading',
      version: '1.0.0',
      async access(kong) {
        found = await kong.client.loadConsumer('bob', true);
      },
      async log(kong) {
        await kong.log((await kong.log.serialize()).workspace_name);
      },
    });
    const t = await testPlugin(loading, { consumers: [{ username: 'bob' }], workspace: 'team-blue' });
    const { logs } = await t.run();
    await t.close();
    expect(found).toMatchObject({ username: 'bob' });
    expect(logs.map(({ message }) => message)).toEqual(['team-blue']);
  });

  it('that Kong would refuse names the entity and the field', async () => {
    await expect(testPlugin(plugin, { route: { paths: ['no-slash'] } })).rejects.toMatchObject({
      code: 'TEST_MISUSE',
      message: expect.stringMatching(/routes\[0\].*paths.*should start with: \//) as string,
    });
    await expect(testPlugin(plugin, { service: { port: 99_999 } })).rejects.toThrow(/services\[0\].*port/);
    await expect(testPlugin(plugin, { request: { path: 'x' } })).rejects.toThrow(/starts with "\/"/);
    await expect(testPlugin(plugin, { request: { url: 'ftp://x/' } })).rejects.toThrow(/is none/);
  });

  it('whose request does not meet its route says so', async () => {
    const t = await testPlugin(plugin, { route: { paths: ['/a'] }, request: { path: '/b' } });
    await expect(t.access()).rejects.toThrow(/GET \/b \(host localhost\) does not meet the described route/);
    await t.close();
  });

  it('that Kong answers by itself says so', async () => {
    const t = await testPlugin(plugin, { route: { protocols: ['https'] }, request: { scheme: 'http' } });
    await expect(t.access()).rejects.toThrow(/Kong itself answers this request with 426/);
    await t.close();
  });
});
