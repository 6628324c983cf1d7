import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { GatewayOptions, TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { logRecord } from './support/log-record.ts';
import type { RawUpstream } from './support/raw-upstream.ts';
import { getOnce, rawExchange, rawUpstream } from './support/raw-upstream.ts';

/** When Kong 3.9.3 tries again, where it goes, and what its record says of it. */
let gateway: TestGateway;
let upstream: RawUpstream;
afterEach(async () => gateway.close());

interface Where {
  url?: string;
  service?: object;
  more?: object;
}

async function start(where: Where = {}, options: GatewayOptions = {}): Promise<void> {
  upstream = await rawUpstream('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  gateway = await testGateway({
    upstream,
    protocol: 'msgpack',
    phases: ['access', 'log'],
    config: (port) => ({
      _format_version: '3.0',
      services: [
        {
          name: 's',
          url: where.url ?? `http://127.0.0.1:${String(port)}`,
          ...where.service,
          routes: [{ name: 'r', paths: ['/'] }],
        },
      ],
      upstreams: [{ name: 'up2', targets: [{ target: `127.0.0.1:${String(port)}` }] }],
      plugins: [{ name: 'probe' }],
      ...where.more,
    }),
    ...options,
  });
  gateway.server.script = { log: [['kong.log.serialize']], ...options.script };
}

async function ask(text = getOnce()): Promise<string> {
  const logged = gateway.server.ended('log');
  const answer = await rawExchange(gateway.sandbox.proxyUrl ?? '', text);
  await logged;
  return answer;
}

test('the host_header of an upstream that a plugin has set goes out with the port', async () => {
  await start(
    {},
    {
      script: { access: [['kong.service.set_upstream', 'up2']] },
      config: (port) => ({
        _format_version: '3.0',
        services: [
          { name: 's', url: `http://localhost:${String(port)}`, routes: [{ name: 'r', paths: ['/'] }] },
        ],
        upstreams: [
          { name: 'up2', host_header: 'hh.example', targets: [{ target: `127.0.0.1:${String(port)}` }] },
        ],
        plugins: [{ name: 'probe' }],
      }),
    },
  );
  expect(await ask()).toMatch(/^HTTP\/1.1 200 /);
  expect(upstream.heads[0]).toContain(`\r\nHost: hh.example:${String(upstream.port)}\r\n`);
});

describe.each(['protobuf', 'msgpack'] as const)('a name set by a plugin over %s', (protocol) => {
  test.each([
    ['setUpstream', ['kong.service.set_upstream', 'up2'], 'up2'],
    ['setTarget', ['kong.service.set_target', 'localhost', 80], 'localhost'],
  ] as const)('with %s is a 500 where the service has an address', async (_how, call, name) => {
    await start({}, { protocol, script: { access: [call] } });
    gateway.server.script = { access: [call], log: [['kong.log.serialize']] };
    expect(await ask()).toMatch(/^HTTP\/1\.1 500 [^]*An unexpected error occurred\nrequest_id/);
    expect(upstream.heads).toEqual([]);
    const [first] = (await logRecord(gateway)).tries;
    expect(first?.ip).toBe(name);
    expect(first).not.toHaveProperty('balancer_latency');
    expect(gateway.logs.join('\n')).toContain(`failed to set the current peer (address: ${name} port: `);
  });

  test('is looked up where the service has a name', async () => {
    await start({ url: 'http://localhost:1' }, { protocol });
    gateway.server.script = { access: [['kong.service.set_upstream', 'up2']] };
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('may be an address in either case', async () => {
    await start({}, { protocol });
    gateway.server.script = { access: [['kong.service.set_target', '127.0.0.1', upstream.port]] };
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
  });
});

const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';

describe('an upstream that closes without an answer', () => {
  test('is asked again, and each try but the last one that could be made has its state', async () => {
    await start({ service: { retries: 2 } });
    upstream.answer = (socket) => socket.destroySoon();
    expect(await ask()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(upstream.heads).toHaveLength(3);
    const record = await logRecord(gateway);
    expect(record.tries.map(({ state, code }) => [state, code])).toEqual([
      ['failed', 502],
      ['failed', 502],
      ['failed', 502],
    ]);
    expect(record.upstream_status).toBe('502, 502, 502');
  });

  test('is not asked again with a POST, whose one try has no state', async () => {
    await start({ service: { retries: 2 } });
    upstream.answer = (socket) => socket.destroySoon();
    expect(await ask(post)).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(upstream.heads).toHaveLength(1);
    expect((await logRecord(gateway)).tries[0]).not.toHaveProperty('state');
  });
});

test('an upstream that is silent is asked again, and gives 504', async () => {
  await start({ service: { retries: 1, read_timeout: 40 } });
  upstream.answer = '';
  expect(await ask()).toMatch(/^HTTP\/1\.1 504 Gateway Time-out\r\n/);
  const record = await logRecord(gateway);
  expect(record.tries.map(({ code }) => code)).toEqual([504, 504]);
  expect(record.upstream_status).toBe('504, 504');
});

test('an answer of 503 to the only try is a failed one', async () => {
  await start({ service: { retries: 0 } });
  upstream.answer = 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n';
  expect(await ask()).toMatch(/^HTTP\/1\.1 503 Busy\r\n/);
  expect((await logRecord(gateway)).tries).toMatchObject([{ state: 'failed', code: 503 }]);
});

describe('a request’s body', () => {
  test('in chunks reaches the upstream with its length', async () => {
    await start();
    await ask(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    );
    expect(upstream.heads[0]).toMatch(/\r\nContent-Length: 3(\r\n|$)/);
    expect(upstream.heads[0]).not.toMatch(/transfer-encoding/i);
  });

  test('that is not there has no length, whatever the method', async () => {
    await start();
    gateway.server.script = { access: [['kong.service.request.set_method', 'POST']] };
    await ask();
    expect(upstream.heads[0]).toMatch(/^POST /);
    expect(upstream.heads[0]).not.toMatch(/content-length/i);
  });
});

test.each([
  ['goes away', (client: net.Socket) => client.destroy()],
  ['closes its half of the connection', (client: net.Socket) => client.end()],
])('a client that %s while an answer is passed on is logged as Kong does it', async (_how, leave) => {
  await start();
  const { port, hostname } = new URL(gateway.sandbox.proxyUrl ?? '');
  const client = net.connect(Number(port), hostname);
  upstream.answer = () => void leave(client);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await logRecord(gateway)).toMatchObject({
    response: { status: 499, headers: { connection: 'keep-alive' } },
    source: 'upstream',
  });
});
