import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { send } from './support/client.ts';
import type { GatewayOptions, TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { echoUpstream } from './support/upstream.ts';

let gateway: TestGateway;

afterEach(async () => gateway.close());

interface ServiceOptions {
  url?: string;
  route?: object;
  service?: object;
  more?: object;
}

function config(options: ServiceOptions = {}): (port: number) => object {
  return (port) => ({
    _format_version: '3.0',
    services: [
      {
        name: 's',
        url: options.url ?? `http://127.0.0.1:${String(port)}`,
        ...options.service,
        routes: [{ name: 'r', paths: ['/'], strip_path: false, ...options.route }],
      },
    ],
    plugins: [{ name: 'probe' }],
    ...options.more,
  });
}

async function start(options: GatewayOptions = {}): Promise<string> {
  gateway = await testGateway({
    phases: ['log'],
    script: { log: [['kong.log.serialize']] },
    config: config(),
    ...options,
  });
  return gateway.sandbox.proxyUrl ?? '';
}

interface LogRecord {
  tries: { state?: string; code?: number }[];
  response: { status: number; size: number };
  request: { size: number };
  upstream_status: string;
  source: string;
}

/** Waits for the n-th record. */
async function record(count = 1): Promise<LogRecord> {
  const records = (): unknown[] =>
    gateway.server.calls.filter((call) => call.method === 'kong.log.serialize');
  await expect.poll(() => records().length).toBeGreaterThanOrEqual(count);
  return JSON.parse((records()[count - 1] as { value: string }).value) as LogRecord;
}

test('a body of 5 MB goes both ways, and its bytes are counted', async () => {
  const upstream = await echoUpstream((request, response) => {
    response.writeHead(200);
    request.pipe(response);
  });
  const url = await start({ upstream });
  const body = Buffer.alloc(5_000_000, 'abcdefg');
  const answer = await send(url, { method: 'POST', body });
  expect(answer.body.equals(body)).toBe(true);
  const { request, response } = await record();
  expect(request.size).toBeGreaterThan(5_000_000);
  expect(response.size).toBeGreaterThan(5_000_000);
});

test('a body larger than the buffer is a file for plugins, the same bytes for the upstream, and gone afterwards', async () => {
  const url = await start({
    phases: ['access', 'log'],
    protocol: 'msgpack',
    script: { access: [['kong.request.get_raw_body', 10_000_000]] },
  });
  const body = Buffer.alloc(100_000, 'xyz');
  const logged = gateway.server.ended('log');
  const answer = await send(url, { method: 'POST', body });
  expect(answer.status).toBe(200);
  expect(gateway.upstream.requests[0]?.body.equals(body)).toBe(true);
  await logged;
  expect((gateway.server.calls[0]?.value as Buffer).equals(body)).toBe(true);
});

test('a chunked body arrives whole', async () => {
  const url = await start();
  const answer = await new Promise<number>((resolve, reject) => {
    const request = http.request(url, { method: 'POST' }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.write('one');
    request.end('two');
  });
  expect(answer).toBe(200);
  expect(gateway.upstream.requests[0]?.body.toString()).toBe('onetwo');
});

test('connections are kept alive on both sides', async () => {
  const sockets = new Set<net.Socket>();
  const upstream = await echoUpstream((request, response) => {
    sockets.add(request.socket);
    response.end('ok');
  });
  const url = await start({ upstream });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = 0; count < 5; count++)
    expect((await send(url, { agent })).headers.connection).toBe('keep-alive');
  expect(sockets.size).toBe(1);
  agent.destroy();
});

test('an upstream that is not there is tried retries + 1 times and gives 502', async () => {
  const url = await start({ config: config({ url: 'http://127.0.0.1:1', service: { retries: 2 } }) });
  const answer = await send(url);
  expect(answer.status).toBe(502);
  expect(answer.text).toMatch(/^An invalid response was received from the upstream server\nrequest_id: /);
  const log = await record();
  expect(log.tries.map(({ state, code }) => [state, code])).toEqual(
    Array.from({ length: 3 }, () => ['failed', 502]),
  );
  expect(log).toMatchObject({ upstream_status: '502, 502, 502', source: 'kong', response: { status: 502 } });
});

test('an upstream that is silent gives 504', async () => {
  const upstream = await echoUpstream(() => undefined);
  const url = await start({ upstream, config: config({ service: { read_timeout: 50, retries: 0 } }) });
  const answer = await send(url);
  expect(answer.status).toBe(504);
  expect(answer.text).toContain('The upstream server is timing out');
});

test('a name that does not resolve gives 503', async () => {
  const url = await start({ config: config({ url: 'http://no-such-host.invalid' }) });
  const answer = await send(url);
  expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('name resolution failed')]);
});

test('a client that goes away is logged with 499', async () => {
  let leave = (): void => undefined;
  const upstream = await echoUpstream(() => leave());
  const url = new URL(await start({ upstream }));
  const socket = net.connect(Number(url.port), url.hostname);
  leave = () => socket.destroy();
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  expect((await record()).response.status).toBe(499);
});

test('an upstream that breaks off ends the answer, not the gateway', async () => {
  const upstream = await echoUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('part');
    setTimeout(() => response.destroy(), 10);
  });
  const url = await start({ upstream });
  await expect(send(url)).rejects.toThrow();
  expect((await record()).response.status).toBe(200);
});

test('bytes that are not HTTP get 400', async () => {
  const url = new URL(await start());
  const text = await new Promise<string>((resolve) => {
    let received = '';
    const socket = net.connect(Number(url.port), url.hostname, () =>
      socket.write('\x01\x02nonsense\r\n\r\n'),
    );
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('close', () => resolve(received));
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect((await send(url.href)).status).toBe(200);
});

test('headers with any bytes reach the upstream unchanged', async () => {
  const url = new URL(await start());
  const socket = net.connect(Number(url.port), url.hostname);
  const bytes = Buffer.from([0xff, 0xfe, 0x41, 0xc3, 0xa9]);
  socket.write(
    Buffer.concat([
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Bin: '),
      bytes,
      Buffer.from('\r\n\r\n'),
    ]),
  );
  await new Promise((resolve) => socket.resume().on('close', resolve));
  const value = gateway.upstream.requests[0]?.headers['x-bin'] as string;
  expect(Buffer.from(value, 'latin1').equals(bytes)).toBe(true);
});

describe('routes', () => {
  test('https only: 426, or a redirect', async () => {
    const url = await start({ config: config({ route: { protocols: ['https'] } }) });
    const answer = await send(url);
    expect([answer.status, answer.headers.upgrade]).toEqual([426, 'TLS/1.2, HTTP/1.1']);
  });

  test('preserve_host keeps the client Host', async () => {
    const url = await start({ config: config({ route: { preserve_host: true } }) });
    await send(url, { headers: { host: 'shop.example' } });
    expect(gateway.upstream.requests[0]?.headers.host).toBe('shop.example');
  });
});

test('an upstream entity spreads requests over its targets by weight', async () => {
  const second = await echoUpstream();
  const url = await start({
    config: (port) => ({
      ...config({ url: 'http://pool.internal' })(port),
      upstreams: [
        {
          name: 'pool.internal',
          targets: [
            { target: `127.0.0.1:${String(port)}`, weight: 300 },
            { target: `127.0.0.1:${String(second.port)}`, weight: 100 },
          ],
        },
      ],
    }),
  });
  for (let count = 0; count < 8; count++) expect((await send(url)).status).toBe(200);
  expect([gateway.upstream.requests.length, second.requests.length]).toEqual([6, 2]);
  await second.close();
});
