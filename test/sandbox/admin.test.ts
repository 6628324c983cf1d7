import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { send } from './support/client.ts';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { echoUpstream } from './support/upstream.ts';

let gateway: TestGateway;

afterEach(async () => gateway.close());

test('a route made through the Admin API serves at once, and is gone at once', async () => {
  gateway = await testGateway({
    config: (port) => ({
      _format_version: '3.0',
      services: [{ name: 's', url: `http://127.0.0.1:${String(port)}` }],
    }),
    sandbox: { adminListen: '127.0.0.1:0' },
  });
  const admin = gateway.sandbox.adminUrl ?? '';
  const url = `${gateway.sandbox.proxyUrl ?? ''}/new`;
  expect((await send(url)).status).toBe(404);
  const made = await send(`${admin}/services/s/routes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'r', paths: ['/new'] }),
  });
  expect(made.status).toBe(201);
  expect((await send(url)).status).toBe(200);
  expect((await send(`${admin}/routes/r`, { method: 'DELETE' })).status).toBe(204);
  expect((await send(url)).status).toBe(404);
});

test('event hook paths go to the dispatcher', async () => {
  const dispatcher = await echoUpstream();
  gateway = await testGateway({
    sandbox: { adminListen: '127.0.0.1:0', eventHooksAdmin: `127.0.0.1:${String(dispatcher.port)}` },
  });
  const answer = await send(`${gateway.sandbox.adminUrl ?? ''}/event-hooks/sources`);
  expect(answer.status).toBe(200);
  expect(dispatcher.requests[0]?.url).toBe('/event-hooks/sources');
  await dispatcher.close();
});

test('two files with workspaces: plugins of one do not run in the other', async () => {
  gateway = await testGateway({
    phases: ['access'],
    script: { access: [['kong.response.set_header', 'x-team', 'blue']] },
    config: (port) => ({
      _format_version: '3.0',
      _workspace: 'blue',
      services: [
        { name: 's', url: `http://127.0.0.1:${String(port)}`, routes: [{ name: 'r', paths: ['/blue'] }] },
      ],
      plugins: [{ name: 'probe' }],
    }),
    sandbox: { adminListen: '127.0.0.1:0', deck: true },
  });
  const admin = gateway.sandbox.adminUrl ?? '';
  expect((await send(`${gateway.sandbox.proxyUrl ?? ''}/blue`)).headers['x-team']).toBe('blue');
  expect((await send(`${admin}/blue/plugins`)).status).toBe(200);
  for (const [path, body] of [
    ['/services', { name: 'd', url: `http://127.0.0.1:${String(gateway.upstream.port)}` }],
    ['/services/d/routes', { paths: ['/default'] }],
  ] as const)
    await send(`${admin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const other = await send(`${gateway.sandbox.proxyUrl ?? ''}/default`);
  expect([other.status, other.headers['x-team']]).toEqual([200, undefined]);
  expect(gateway.server.instances[0]?.config?.['__ws_id']).toBe(
    gateway.sandbox.store.snapshot().plugins[0]?.ws_id,
  );
});

test('the Admin API asks for no token, so that web pages and foreign names are refused', async () => {
  gateway = await testGateway({ sandbox: { adminListen: '127.0.0.1:0', allowHosts: ['kong.example.com'] } });
  const admin = gateway.sandbox.adminUrl ?? '';
  const make = (headers: Record<string, string>) =>
    send(`${admin}/consumers`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: 'username=evil',
    });
  expect((await make({ origin: 'http://evil.example' })).status).toBe(403);
  expect((await make({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await make({ host: 'evil.example' })).status).toBe(403);
  expect((await make({ host: 'kong.example.com' })).status).toBe(201);
});

/** The answer to raw bytes, up to the end of the connection. */
function exchange(socket: Socket, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
    socket.write(bytes, 'latin1');
  });
}

test("requests are read as Kong's nginx reads them, with and without TLS", async () => {
  gateway = await testGateway({
    config: () => ({
      _format_version: '3.0',
      services: [{ name: 'caf\u00e9', url: 'http://127.0.0.1:9' }],
    }),
    sandbox: { adminListen: '127.0.0.1:0, 127.0.0.1:0 ssl' },
  });
  const { adminUrl, adminTlsUrl } = gateway.sandbox;
  const portOf = (url: string | null): number => Number(new URL(url ?? '').port);
  const end = 'Host: localhost\r\nConnection: close\r\n\r\n';
  const expected: [string, string, RegExp][] = [
    [`FOO /services HTTP/1.1\r\n${end}`, '405', /Method not allowed/],
    [`PROPFIND /services HTTP/1.1\r\n${end}`, '405', /Method not allowed/],
    [`FOO /nothing HTTP/1.1\r\n${end}`, '404', /Not found/],
    [`GET /services/caf\u00c3\u00a9 HTTP/1.1\r\n${end}`, '200', /"host":"127.0.0.1"/],
    [`GET /services/caf\u00c3 HTTP/1.1\r\n${end}`, '404', /Not found/],
    ['GET /services HTTP/1.0\r\n\r\n', '200', /"data":/],
    [`GET http://localhost/services HTTP/1.1\n${end}`, '200', /"data":/],
    [`foo /services HTTP/1.1\r\n${end}`, '400', /<h1>400 Bad Request<\/h1>/],
    [`GET /services HTTP/2.0\r\n${end}`, '505', /<h1>505 HTTP Version Not Supported<\/h1>/],
    [`CONNECT /services HTTP/1.1\r\n${end}`, '405', /<h1>405 Not Allowed<\/h1>/],
  ];
  for (const [bytes, status, body] of expected) {
    const plain = connect(portOf(adminUrl), '127.0.0.1');
    const secure = connectTls({ port: portOf(adminTlsUrl), host: '127.0.0.1', rejectUnauthorized: false });
    for (const answer of [await exchange(plain, bytes), await exchange(secure, bytes)]) {
      expect([bytes, answer.slice(9, 12)]).toEqual([bytes, status]);
      expect(answer).toMatch(body);
    }
  }
});
