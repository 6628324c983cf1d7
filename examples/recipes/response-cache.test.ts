import { afterEach, expect, it, vi } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import type { KongDescription, PluginTest } from 'kong-ts/testing';
import plugin from './response-cache.ts';

afterEach(() => {
  vi.useRealTimers();
});

const answer = (body: string, headers: Record<string, string> = {}) => ({
  headers: { 'content-type': 'text/plain', 'cache-control': 'max-age=60', ...headers },
  body,
});
const start = (): Promise<PluginTest> =>
  testPlugin(plugin, { request: { path: '/a' }, response: answer('one') });

/** What a later request gets, where the upstream would say "two". */
const next = async (t: PluginTest, more: KongDescription = {}): Promise<string | undefined> =>
  (await t.request({ response: answer('two'), ...more }).run()).response?.text;

it('answers from memory, with the age and without the upstream', async () => {
  await using t = await start();
  await t.run();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
  const { exit } = await t.request({ response: answer('two') }).run();
  expect(exit).toMatchObject({
    status: 200,
    text: 'one',
    headers: { 'x-cache': 'hit', age: '10', 'content-type': 'text/plain' },
  });
  vi.setSystemTime(Date.now() + 60_000);
  expect(await next(t)).toBe('two');
});

it.each<[string, KongDescription]>([
  ['another path or query', { request: { path: '/a', query: 'x=1' } }],
  ['another host', { request: { path: '/a', host: 'other' } }],
  ['another language', { request: { path: '/a', headers: { 'accept-language': 'de' } } }],
  ['another method', { request: { path: '/a', method: 'POST' } }],
  ['a personal request', { request: { path: '/a', headers: { authorization: 'Basic x' } } }],
  ['a request with a cookie', { request: { path: '/a', headers: { cookie: 'a=1' } } }],
  ['a part of it', { request: { path: '/a', headers: { range: 'bytes=0-1' } } }],
  ['a consumer', { consumer: { username: 'ada' } }],
])('has no answer for %s', async (_what, more) => {
  await using t = await start();
  await t.run();
  expect(await next(t, more)).toBe('two');
});

it('asks the upstream for what the answer is stored under', async () => {
  await using t = await testPlugin(plugin, { request: { headers: { 'accept-language': ['de', 'fr'] } } });
  expect((await t.run()).upstream?.headers['accept-language']).toBe('de');
});

it('never hands one consumer what another one got', async () => {
  await using t = await testPlugin(plugin, { consumer: { username: 'ada' }, response: answer('for ada') });
  await t.run();
  expect(await next(t, { consumer: { username: 'bob' } })).toBe('two');
  expect(await next(t)).toBe('for ada');
});

it.each<[string, Record<string, string>]>([
  ['is private', { 'cache-control': 'private, max-age=60' }],
  ['says no-store', { 'cache-control': 'no-store' }],
  ['sets a cookie', { 'set-cookie': 'a=1' }],
  ['differs by what is not in the key', { vary: 'Origin' }],
  ['differs by everything', { vary: '*' }],
  ['is compressed', { 'content-encoding': 'gzip' }],
  ['says nothing of its life', { 'cache-control': 'public' }],
])('does not store an answer that %s', async (_what, headers) => {
  await using t = await testPlugin(plugin, { response: answer('one', headers) });
  await t.run();
  expect(await next(t)).toBe('two');
});

it('stores no error and nothing too long, and stays within its bytes', async () => {
  await using t = await testPlugin(plugin, {
    config: { max_entry_bytes: 1000, max_bytes: 2500 },
    response: { ...answer('one'), status: 500 },
  });
  await t.run();
  expect(await next(t)).toBe('two');
  await t.request({ request: { path: '/long' }, response: answer('x'.repeat(1001)) }).run();
  expect(await next(t, { request: { path: '/long' } })).toBe('two');
  for (const path of ['/1', '/2', '/3'])
    await t.request({ request: { path }, response: answer('one') }).run();
  expect(await next(t, { request: { path: '/1' } })).toBe('two');
  expect(await next(t, { request: { path: '/3' } })).toBe('one');
});
