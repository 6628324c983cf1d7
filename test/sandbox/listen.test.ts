import https from 'node:https';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { parseListen } from '../../src/sandbox/gateway/listen.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { freePort } from '../support/free-port.ts';
import { send } from './support/client.ts';

let sandbox: Sandbox | null = null;
afterEach(async () => sandbox?.close());

const start = async (adminListen: string, proxyListen = 'off'): Promise<Sandbox> =>
  (sandbox = await startSandbox({ adminListen, proxyListen, log: () => undefined }));

/** The status over TLS, whatever the certificate. */
const overTls = (url: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    https
      .get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
      .once('error', reject);
  });

test('the Admin API on all addresses of admin_listen, as the default of Kong has them', async () => {
  const ports = [await freePort(), await freePort()].map(String);
  const { adminUrl, adminTlsUrl } = await start(
    `127.0.0.1:${ports[0] ?? ''} reuseport backlog=16384, 127.0.0.2:${ports[1] ?? ''}, 127.0.0.1:0 http2 ssl reuseport backlog=16384`,
  );
  expect(adminUrl).toBe(`http://127.0.0.1:${ports[0] ?? ''}`);
  expect((await send(`${adminUrl ?? ''}/status`)).status).toBe(200);
  expect((await send(`http://127.0.0.2:${ports[1] ?? ''}/status`)).status).toBe(200);
  expect(await overTls(`${adminTlsUrl ?? ''}/status`)).toBe(200);
});

test('a taken address ends all of them', async () => {
  const port = String(await freePort());
  const other = net.createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const taken = String((other.address() as net.AddressInfo).port);
  await expect(start(`127.0.0.1:${port}, 127.0.0.1:${taken}`)).rejects.toThrow(`Port ${taken} on 127.0.0.1`);
  await new Promise((resolve) => other.close(resolve));
  expect((await start(`127.0.0.1:${port}`)).adminUrl).toBe(`http://127.0.0.1:${port}`);
});

test('off in the first place is all; IPv6 in brackets', () => {
  expect(parseListen('off', '--admin-listen')).toEqual([]);
  expect(parseListen('off, 127.0.0.1:8001', '--admin-listen')).toEqual([]);
  expect(parseListen('[::1]:8001 ssl ipv6only=on', '--admin-listen')).toEqual([
    { host: '::1', port: 8001, tls: true, option: '--admin-listen' },
  ]);
});

test.each([
  ['unix:/tmp/kong.sock', /unix:\/tmp\/kong\.sock.*TCP/],
  ['127.0.0.1:8000 proxy_protocol', /PROXY protocol/],
  ['127.0.0.1:8000 udp', /no UDP/],
  ['127.0.0.1:8000 sll', /"sll".*no such flag/],
  ['::1:8000', /not an address/],
  ['127.0.0.1', /not an address/],
])('%s is refused by name', (text, says) => {
  expect(() => parseListen(text, '--proxy-listen')).toThrow(says);
});

test('a plugin in plugins that nothing provides is warned of', async () => {
  const lines: string[] = [];
  sandbox = await startSandbox({
    plugins: ['bundled', 'nosuch'],
    adminListen: 'off',
    proxyListen: 'off',
    log: (_level, line) => void lines.push(line),
  });
  expect(lines.join('\n')).toMatch(/nosuch is in plugins/);
  expect(lines.join('\n')).not.toMatch(/bundled is/);
});
