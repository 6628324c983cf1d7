import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import type { PluginTest } from 'kong-ts/testing';
import plugin from './api-key.ts';

let asked: string[];
let status: number;
let t: PluginTest;
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (piece: Buffer) => (text += piece.toString()));
  request.on('end', () => {
    const { key } = JSON.parse(text) as { key: string };
    asked.push(key);
    response.writeHead(key === 'good' ? status : 404).end('{"owner":"ada"}');
  });
});

beforeEach(async () => {
  [asked, status] = [[], 200];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  t = await testPlugin(plugin, { config: { url: `http://127.0.0.1:${String(port)}/` } });
});
afterEach(async () => {
  vi.useRealTimers();
  await t.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const access = (key: string | string[]) => t.request({ request: { headers: { 'x-api-key': key } } }).access();

it('asks once for a key, and tells the upstream the owner and no key', async () => {
  const results = await Promise.all([access('good'), access('good')]);
  results.push(await access(['good', 'other']));
  for (const { exit, upstream } of results) {
    expect(exit).toBeNull();
    expect(upstream?.headers).toMatchObject({ 'x-key-owner': 'ada' });
    expect(upstream?.headers).not.toHaveProperty('x-api-key');
  }
  expect(asked).toEqual(['good']);
});

it('replaces an owner that the client names', async () => {
  const request = { headers: { 'x-api-key': 'good', 'x-key-owner': 'root' } };
  expect((await t.request({ request }).access()).upstream?.headers['x-key-owner']).toBe('ada');
});

it('refuses no key and unknown keys, and asks again for both kinds when their time is over', async () => {
  expect((await t.access()).exit?.status).toBe(401);
  expect((await access('bad')).exit?.status).toBe(401);
  expect((await access('bad')).exit?.status).toBe(401);
  await access('good');
  expect(asked).toEqual(['bad', 'good']);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  await access('bad');
  await access('good');
  expect(asked).toEqual(['bad', 'good', 'bad', 'good']);
});

it('lets nobody through when the service does not say', async () => {
  status = 500;
  expect((await access('good')).exit).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  status = 200;
  expect((await access('good')).exit).toBeNull();
});
