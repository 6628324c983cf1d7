import type { IncomingHttpHeaders } from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { send } from './support/client.ts';
import type { GatewayOptions, TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';

/** What Kong 3.9.3 does with a request on its way to the upstream, each from an exchange measured there. */
let gateway: TestGateway;

afterEach(async () => gateway.close());

async function start(
  access: unknown[][],
  route: object = { paths: ['/'] },
  more: object = {},
  options: Partial<GatewayOptions> = {},
): Promise<string> {
  gateway = await testGateway({
    phases: ['access', 'log'],
    protocol: 'msgpack',
    script: { access, log: [['kong.log.serialize'], ['kong.router.get_route']] } as never,
    config: (port) => ({
      _format_version: '3.0',
      services: [
        {
          name: 's',
          url: `http://127.0.0.1:${String(port)}/`,
          routes: [{ name: 'r', strip_path: false, ...route }],
        },
      ],
      consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'alicekey' }] }],
      plugins: [{ name: 'probe' }],
      ...more,
    }),
    ...options,
  });
  return gateway.sandbox.proxyUrl ?? '';
}

const hiding = { plugins: [{ name: 'probe' }, { name: 'key-auth', config: { hide_credentials: true } }] };
const values = (method: string): unknown[] =>
  gateway.server.calls.filter((call) => call.method === method).map((call) => call.value);
const upstream = (): { url: string; headers: IncomingHttpHeaders; rawHeaders: string[] } =>
  gateway.upstream.requests.at(-1) ?? { url: '', headers: {}, rawHeaders: [] };
const lines = (name: string): string[] =>
  upstream().rawHeaders.filter((_v, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === name);

async function record(): Promise<Record<string, never>> {
  await expect.poll(() => values('kong.log.serialize').length).toBeGreaterThan(0);
  return JSON.parse(values('kong.log.serialize')[0] as string) as Record<string, never>;
}

describe('a key that key-auth hides', () => {
  test('is gone from the upstream and the raw query, and still among the arguments and in the record', async () => {
    const url = await start(
      [['kong.request.get_query', 100], ['kong.request.get_raw_query']],
      undefined,
      hiding,
    );
    await send(`${url}/?apikey=alicekey`);
    expect(upstream().url).toBe('/?');
    expect(values('kong.request.get_query')).toEqual([{ apikey: ['alicekey'] }]);
    expect(values('kong.request.get_raw_query')).toEqual(['']);
    expect((await record())['request']).toMatchObject({ querystring: { apikey: 'alicekey' } });
  });

  test('the other arguments are written anew', async () => {
    const url = await start([['kong.request.get_query', 100]], undefined, hiding);
    await send(`${url}/?apikey=alicekey&b=%20x&c=+&d&e[]=1`);
    expect(upstream().url).toBe('/?b=+x&c=+&d=&e%5B%5D=1');
    // A list of values for MsgPack:1; a flag has none.
    expect(values('kong.request.get_query')[0]).toMatchObject({ apikey: ['alicekey'], d: [] });
  });

  test('an anonymous consumer that does not exist is a 500 without the reason', async () => {
    const url = await start([], undefined, {
      plugins: [{ name: 'key-auth', config: { anonymous: 'nobody' } }],
    });
    const answer = await send(url);
    expect([answer.status, answer.text]).toEqual([
      500,
      expect.stringContaining('An unexpected error occurred') as string,
    ]);
    expect(answer.text).not.toContain('nobody');
  });
});

test('a plugin’s own clear_query_arg leaves the arguments that it has read before', async () => {
  const url = await start([
    ['kong.request.get_query', 100],
    ['kong.service.request.clear_query_arg', 'a'],
    ['kong.request.get_query', 100],
    ['kong.service.request.set_raw_query', 'c=3'],
    ['kong.request.get_query', 100],
  ]);
  await send(`${url}/?a=1&b=2`);
  expect(values('kong.request.get_query')).toEqual([
    { a: ['1'], b: ['2'] },
    { a: ['1'], b: ['2'] },
    { c: ['3'] },
  ]);
});

test('a request for https only has no route and no service in its record', async () => {
  const url = await start([], { paths: ['/'], protocols: ['https'] });
  const answer = await send(url);
  expect(answer.status).toBe(426);
  expect(answer.rawHeaders.filter((_v, at, all) => all[at - 1] === 'Connection')).toEqual([
    'keep-alive',
    'Upgrade',
  ]);
  const log = await record();
  expect(log).not.toHaveProperty('route');
  expect(log).not.toHaveProperty('service');
  expect(values('kong.router.get_route').map((route) => route ?? null)).toEqual([null]);
});

test('a route without a service gets 503, and nothing was tried', async () => {
  const url = await start([], undefined, {
    services: [],
    routes: [{ name: 'alone', paths: ['/'] }],
  });
  const answer = await send(url);
  expect([answer.status, answer.text]).toEqual([
    503,
    expect.stringContaining('no Service found with those values') as string,
  ]);
  expect(answer.headers).not.toHaveProperty('via');
  expect((await record())['tries'] ?? []).toEqual([]);
});

describe('targets', () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port, hostname } = new URL(gateway.sandbox.proxyUrl ?? '');
      const socket = net.connect(Number(port), hostname);
      let answer = '';
      socket.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
      socket.once('error', reject).once('close', () => resolve(answer));
      socket.write(text);
    });

  test('an absolute one is routed by the Host header, and its own host is the request’s', async () => {
    await start([['kong.request.get_host'], ['kong.request.get_path']], { hosts: ['a.test'] });
    const by = (target: string, host: string): Promise<string> =>
      raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await by('http://a.test/p', 'none.test')).toMatch(/^HTTP\/1\.1 404 /);
    expect(await by('ftp://none.test/x', 'a.test')).toMatch(/^HTTP\/1\.1 200 /);
    expect([values('kong.request.get_host'), values('kong.request.get_path')]).toEqual([
      ['none.test'],
      ['/x'],
    ]);
    expect(upstream().headers['x-forwarded-host']).toBe('none.test');
  });

  test('$uri is decoded and without fragment, $upstream_uri has no query', async () => {
    await start([
      ['kong.nginx.get_var', 'uri'],
      ['kong.nginx.get_var', 'upstream_uri'],
      ['kong.request.get_raw_query'],
    ]);
    await raw('GET /p%2Fq/%2B//x?a=1#f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(values('kong.nginx.get_var')).toEqual(['/p/q/+/x', '/p%2Fq/%2B/x']);
    expect(values('kong.request.get_raw_query')).toEqual(['a=1']);
  });

  test('a path that is not UTF-8 meets no route', async () => {
    await start([]);
    expect(await raw('GET /p/%E9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 404 /,
    );
  });

  test('path_handling v1 is v0', async () => {
    const url = await start([], { paths: ['/p'], strip_path: true, path_handling: 'v1' });
    await send(`${url}/p`);
    expect(upstream().url).toBe('/');
  });

  test('the Host loses its last dot where it is forwarded, and Via of HTTP/1.0 is a number', async () => {
    await start([]);
    await raw('GET / HTTP/1.0\r\nHost: wild.\r\n\r\n');
    expect(upstream().headers['x-forwarded-host']).toBe('wild');
    expect(upstream().headers['via']).toBe('1 kong/3.9.3');
  });

  test('tabs stay in a header’s value', async () => {
    await start([['kong.request.get_header', 'x-tab']]);
    await raw('GET / HTTP/1.1\r\nHost: a\r\nX-Tab:  \ta\t \r\nConnection: close\r\n\r\n');
    expect(values('kong.request.get_header')).toEqual(['\ta\t']);
  });

  test('headers that Connection names go, from the record as well', async () => {
    await start([]);
    await raw('GET / HTTP/1.1\r\nHost: a\r\nX-Hop: 1\r\nConnection: close, x-hop\r\n\r\n');
    expect(upstream().headers).not.toHaveProperty('x-hop');
    const { request } = (await record()) as unknown as { request: { headers: object } };
    expect(request.headers).not.toHaveProperty('x-hop');
  });
});

describe('setters', () => {
  test('of a header that nginx keeps once, the last value stands; cookies are lines', async () => {
    const url = await start([
      ['kong.service.request.set_headers', { 'User-Agent': ['a', 'b'], Authorization: ['c', 'd'] }],
      ['kong.service.request.set_headers', { Cookie: ['a=1', 'b=2'], 'X-Many': ['1', '2'] }],
    ]);
    await send(url);
    expect([lines('user-agent'), lines('authorization'), lines('cookie'), lines('x-many')]).toEqual([
      ['b'],
      ['d'],
      ['a=1', 'b=2'],
      ['1', '2'],
    ]);
  });

  test('Via is Kong’s own, add_header changes the Host, and the record follows it', async () => {
    const url = await start([
      ['kong.service.request.set_header', 'Via', 'v'],
      ['kong.service.request.add_header', 'Host', 'new.test:1'],
    ]);
    await send(url);
    expect([lines('via'), lines('host')]).toEqual([['1.1 kong/3.9.3'], ['new.test:1']]);
    expect((await record())['request']).toMatchObject({
      url: expect.stringMatching(/^http:\/\/new\.test:\d+\/$/) as string,
    });
  });

  test.each(['Content-Length', 'Transfer-Encoding'])('%s that is not a number ends in 500', async (name) => {
    const url = await start([['kong.service.request.set_header', name, 'abc']]);
    expect((await send(url)).status).toBe(500);
    expect(gateway.upstream.requests).toEqual([]);
  });

  test('a method that may have a body announces none where there is none', async () => {
    const url = await start([['kong.service.request.set_method', 'POST']]);
    await send(url);
    expect(upstream().headers).not.toHaveProperty('content-length');
    expect(upstream().headers).not.toHaveProperty('transfer-encoding');
  });

  test('X-Forwarded-For of a rewrite is not looked at, the Host of one is', async () => {
    const url = await start([], undefined, undefined, {
      phases: ['rewrite'],
      script: {
        rewrite: [
          ['kong.service.request.add_header', 'X-Forwarded-For', '9.9.9.9'],
          ['kong.service.request.set_header', 'Host', 'new.test'],
        ],
      } as never,
    });
    await send(url);
    expect(upstream().headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'new.test',
    });
  });
});
