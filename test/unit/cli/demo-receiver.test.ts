import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import type { Received } from '../../../src/cli/demo/receiver.ts';
import { startReceiver } from '../../../src/cli/demo/receiver.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(): Promise<{ url: string; received: readonly Received[] }> {
  const port = await freePort();
  const receiver = await startReceiver('127.0.0.1', port);
  onTestFinished(() => receiver.close());
  return { url: `http://127.0.0.1:${String(port)}`, received: receiver.received };
}

it('keeps what it was sent, JSON as JSON', async () => {
  const { url, received } = await start();
  await fetch(`${url}/logs?a=1`, { method: 'POST', body: '{"n":1}' });
  await fetch(`${url}//odd`, { method: 'PUT', body: 'text' });
  expect(received.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['POST', '/logs?a=1', { n: 1 }],
    ['PUT', '//odd', 'text'],
  ]);
  const listed = (await (await fetch(`${url}/received?path=/logs`)).json()) as unknown[];
  expect(listed).toHaveLength(1);
});

it('is bounded in bytes, whatever comes', async () => {
  const { url, received } = await start();
  const body = 'x'.repeat(60_000);
  for (let n = 0; n < 700; n++) await fetch(`${url}/big`, { method: 'POST', body });
  expect(received.length * body.length).toBeLessThan(32 * 1024 * 1024);
  expect(received.length).toBeGreaterThan(400);
});

it('lists what it has although a body was nested deeper than JSON can be written', async () => {
  const { url } = await start();
  await fetch(`${url}/deep`, { method: 'POST', body: `${'['.repeat(30_000)}${']'.repeat(30_000)}` });
  expect((await fetch(`${url}/received`)).status).toBe(200);
});

it('shows nothing to a web page or a name that somebody else points here', async () => {
  const { url } = await start();
  const status = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(`${url}/received`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  expect(await status({})).toBe(200);
  expect(await status({ origin: 'http://evil.example' })).toBe(403);
  expect(await status({ host: 'evil.example' })).toBe(403);
});
