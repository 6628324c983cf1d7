import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KongAdmin } from '../../../src/kong-admin/client.ts';

let server: Server | null = null;
/** The time limits of requests: they are over when the Kong of a test says so. */
let limits: AbortController[];

beforeEach(() => {
  limits = [];
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const limit = new AbortController();
    limits.push(limit);
    return limit.signal;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

/** An Admin API of `count` consumers that does not answer what `slow` says, until time is over; what it was asked for. */
async function startKong(
  count: number,
  slow: (size: number, path: string) => boolean,
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://kong');
    const size = Number(url.searchParams.get('size'));
    const from = Number(url.searchParams.get('offset') ?? 0);
    asked.push(
      url.pathname === '/status' ? 'status' : `${url.pathname} ${String(size)} from ${String(from)}`,
    );
    if (slow(size, url.pathname)) {
      limits.at(-1)?.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
      return;
    }
    const data = Array.from({ length: Math.max(0, Math.min(size, count - from)) }, (_, index) => ({
      id: String(from + index),
    }));
    const offset = from + data.length < count ? { offset: String(from + data.length) } : {};
    response.end(JSON.stringify({ data, ...offset }));
  };
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}

it('halves a page that does not come in time, goes on from where it was, and remembers', async () => {
  const { url, asked } = await startKong(300, (size) => size > 250);
  const admin = new KongAdmin({ url, timeoutMs: 1000 });
  const found = await admin.list('/consumers');
  expect(found.map(({ id }) => Number(id))).toEqual(Array.from({ length: 300 }, (_, index) => index));
  expect(asked).toEqual([
    '/consumers 1000 from 0',
    'status',
    '/consumers 500 from 0',
    'status',
    '/consumers 250 from 0',
    '/consumers 250 from 250',
  ]);
  // A client of one of its workspaces knows it, too.
  asked.length = 0;
  await admin.in('blue').list('/consumers');
  expect(asked[0]).toBe('/blue/consumers 250 from 0');
});

it('gives up at pages of 50, and at once where Kong says nothing at all', async () => {
  const slow = await startKong(300, (size) => size > 0);
  const pages = new KongAdmin({ url: slow.url, timeoutMs: 1000 }).pages('/consumers', 60);
  await expect(pages.next()).rejects.toThrow(/size=50 has no whole answer within 1000 ms/);
  expect(slow.asked.filter((path) => path !== 'status')).toEqual([
    '/consumers 60 from 0',
    '/consumers 50 from 0',
  ]);
  await new Promise((resolve) => {
    server?.closeAllConnections();
    server?.close(resolve);
  });
  const silent = await startKong(300, () => true);
  await expect(new KongAdmin({ url: silent.url, timeoutMs: 1000 }).list('/consumers')).rejects.toThrow(
    /status has no whole answer/,
  );
  expect(silent.asked).toEqual(['/consumers 1000 from 0', 'status']);
});

it('ends at once when its signal aborts', async () => {
  const { url, asked } = await startKong(1, () => true);
  const abort = new AbortController();
  const list = new KongAdmin({ url, timeoutMs: 60_000, signal: abort.signal }).list('/consumers');
  const rejected = expect(list).rejects.toThrow(/has no answer/);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  await rejected;
  expect(asked).toHaveLength(1);
});

it('says what is not an Admin API: a page of HTML, a 404', async () => {
  server = createServer((request, response) => {
    if (request.url === '/html') response.end('<html>');
    else response.writeHead(404).end('{"message":"no Route matched with those values"}');
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const admin = new KongAdmin({
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
  });
  await expect(admin.request('GET', '/html')).rejects.toThrow(/came with status 200 is not JSON.*Admin API/);
  await expect(admin.list('/plugins')).rejects.toThrow(/no Route matched.*port 8001/);
});

it('a page that was halved since Kong was late once grows again', async () => {
  let late = true;
  const { url, asked } = await startKong(1000, (size) => late && size > 250);
  const admin = new KongAdmin({ url, timeoutMs: 1000 });
  await admin.list('/consumers');
  late = false;
  for (let look = 0; look < 6; look++) {
    asked.length = 0;
    expect(await admin.list('/consumers')).toHaveLength(1000);
  }
  expect(asked).toEqual(['/consumers 1000 from 0']);
});
