import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import type { PluginTest } from 'kong-ts/testing';
import plugin from './rate-limit.ts';

let dataDir: string;
const open: PluginTest[] = [];
const start = async (): Promise<PluginTest> => {
  const t = await testPlugin(plugin, { dataDir, config: { limit: 2, seconds: 60 } });
  open.push(t);
  return t;
};

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'rate-limit-'));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 31, 12, 0, 30) });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const t of open.splice(0)) await t.close();
  rmSync(dataDir, { recursive: true, force: true });
});

it('counts in one window over two workers, and begins again with the next', async () => {
  const [one, two] = [await start(), await start()];
  const first = await one.request().access();
  expect(first.response?.headers).toMatchObject({ 'ratelimit-remaining': '1', 'ratelimit-reset': '30' });
  expect((await two.request().access()).exit).toBeNull();
  const { exit } = await one.request().access();
  expect(exit).toMatchObject({ status: 429, headers: { 'retry-after': '30', 'ratelimit-remaining': '0' } });
  vi.setSystemTime(Date.UTC(2026, 0, 31, 12, 1));
  expect((await two.request().access()).exit).toBeNull();
});

it('counts consumers apart, and all addresses of an IPv6 network as one', async () => {
  const t = await start();
  const from = async (clientIp: string): Promise<unknown> =>
    (await t.request({ request: { clientIp } }).access()).exit?.status;
  expect([await from('2001:db8::1'), await from('2001:db8:0:0:ffff::2')]).toEqual([undefined, undefined]);
  expect(await from('2001:db8::3')).toBe(429);
  expect(await from('2001:db8:0:1::1')).toBeUndefined();
  const consumer = { username: 'ada' };
  expect((await t.request({ consumer, request: { clientIp: '2001:db8::3' } }).access()).exit).toBeNull();
});

it('believes no forwarding header of a client', async () => {
  const t = await start();
  const statuses = [];
  for (const ip of ['1.1.1.1', '2.2.2.2', '3.3.3.3']) {
    const request = { headers: { 'x-forwarded-for': ip, 'x-real-ip': ip } };
    statuses.push((await t.request({ request }).access()).exit?.status);
  }
  expect(statuses).toEqual([undefined, undefined, 429]);
});

it('does not start without a folder to share', async () => {
  await expect(testPlugin(plugin, { config: { limit: 1 } })).rejects.toThrow(/--data-dir/);
});
