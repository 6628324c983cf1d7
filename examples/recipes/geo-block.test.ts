import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './geo-block.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'geo-block-'));
const file = path.join(folder, 'networks.csv');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function blocked(
  addresses: string[],
  more: Record<string, unknown> = {},
  rows = known,
): Promise<boolean[]> {
  writeFileSync(file, rows);
  await using t = await testPlugin(plugin, { config: { file, allow: ['fr', 'DE'], ...more } });
  const results: boolean[] = [];
  for (const clientIp of addresses)
    results.push((await t.request({ request: { clientIp } }).access()).exit?.status === 451);
  return results;
}
const known =
  '# networks\n2001:db8:1::/48,FR\n198.51.100.0/24,DE\n203.0.113.0/25,US\n\n203.0.113.128/25,FR\n';

it('lets the countries through that are named, by both kinds of address', async () => {
  const addresses = ['198.51.100.0', '198.51.100.255', '203.0.113.127', '203.0.113.128', '2001:db8:1::ffff'];
  expect(await blocked(addresses)).toEqual([false, false, true, false, false]);
  expect(await blocked(['::ffff:198.51.100.7', '::ffff:203.0.113.1'])).toEqual([false, true]);
});

it('refuses addresses that no row has, unless told otherwise', async () => {
  const strangers = ['198.51.99.255', '198.51.101.0', '2001:db8:2::1', '127.0.0.1'];
  expect(await blocked(strangers)).toEqual([true, true, true, true]);
  expect(await blocked(strangers, { unknown: 'allow' })).toEqual([false, false, false, false]);
  expect(await blocked(strangers, { always: ['127.0.0.0/8', '2001:db8:2::/48'] })).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

it('believes no forwarding header of a client', async () => {
  writeFileSync(file, known);
  await using t = await testPlugin(plugin, {
    config: { file, allow: ['FR'] },
    request: { clientIp: '203.0.113.1', headers: { 'x-forwarded-for': '203.0.113.200' } },
  });
  expect((await t.access()).exit?.status).toBe(451);
});

it.each([
  ['a line that it cannot read', '198.51.100.0,DE\n', /line 1: write NETWORK/],
  ['ranges that overlap', '198.51.100.0/24,DE\n198.51.100.128/25,FR\n', /DE and FR overlap/],
])('does not start with %s', async (_what, rows, problem) => {
  await expect(blocked([], {}, rows)).rejects.toThrow(problem);
});
