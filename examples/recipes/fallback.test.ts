import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import type { RequestDescription } from 'kong-ts/testing';
import plugin from './fallback.ts';

let asked: IncomingMessage[];
let answer: (response: ServerResponse) => void;
let url: string;
const server = createServer((request, response) => {
  asked.push(request);
  answer(response);
});

beforeEach(async () => {
  asked = [];
  answer = (response) =>
    response.writeHead(200, { 'content-type': 'text/plain', 'set-cookie': 'a=1' }).end('second');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/base/`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function run(request: RequestDescription = {}, status = 503) {
  await using t = await testPlugin(plugin, {
    config: { url, max_bytes: 1000 },
    request,
    response: { status, headers: { etag: '"first"', 'retry-after': '9' }, body: 'first' },
  });
  return (await t.run()).response;
}

it('answers with what the second server says, without its cookies', async () => {
  const response = await run({ path: '/a', query: 'b=1' });
  expect(response).toMatchObject({
    status: 200,
    text: 'second',
    headers: { 'content-type': 'text/plain', 'x-fallback': 'true' },
  });
  for (const name of ['set-cookie', 'etag', 'retry-after'])
    expect(response?.headers).not.toHaveProperty(name);
  expect(asked.map((one) => one.url)).toEqual(['/base/a?b=1']);
});

it('sends no credentials along, and cannot be sent elsewhere by a path', async () => {
  await run({
    path: '//evil.example/x',
    headers: { authorization: 'Basic x', cookie: 'a=1', accept: 'text/html' },
  });
  expect(asked[0]?.url).toBe('/base//evil.example/x');
  expect(asked[0]?.headers).toMatchObject({ accept: 'text/html' });
  expect(asked[0]?.headers).not.toHaveProperty('authorization');
  expect(asked[0]?.headers).not.toHaveProperty('cookie');
});

it('stays below the path of the second server', async () => {
  await run({ path: '/a\\..\\..\\admin' });
  expect(asked[0]?.url).toBe('/base/a%5C..%5C..%5Cadmin');
});

it('leaves good answers and other methods alone', async () => {
  expect(await run({}, 404)).toMatchObject({ status: 404, text: 'first' });
  expect(await run({ method: 'POST', body: 'x' })).toMatchObject({ status: 503, text: 'first' });
  expect(asked).toEqual([]);
});

it.each<[string, (response: ServerResponse) => void]>([
  ['fails, too', (response) => response.writeHead(500).end()],
  ['sends the request on', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['says too much', (response) => response.end('x'.repeat(1001))],
  ['breaks off', (response) => response.socket?.destroy()],
])('gives the first answer where the second server %s', async (_what, bad) => {
  answer = bad;
  expect(await run()).toMatchObject({ status: 503, text: 'first', headers: { etag: '"first"' } });
});
