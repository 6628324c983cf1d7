import { expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './transform-headers.ts';

it('takes headers away and sets others, in both directions', async () => {
  await using t = await testPlugin(plugin, {
    config: {
      request: { remove: ['x-debug'], set: { 'x-env': 'prod' } },
      response: { remove: ['x-powered-by'], set: { 'x-frame-options': 'DENY' } },
    },
    request: { headers: { 'x-debug': '1', 'x-env': ['a', 'b'] } },
    response: { headers: { 'x-powered-by': 'PHP', 'x-frame-options': ['ALLOW', 'x'] } },
  });
  const { upstream, response } = await t.run();
  expect(upstream?.headers).toMatchObject({ 'x-env': 'prod' });
  expect(upstream?.headers).not.toHaveProperty('x-debug');
  expect(response?.headers).toMatchObject({ 'x-frame-options': 'DENY' });
  expect(response?.headers).not.toHaveProperty('x-powered-by');
});

it('changes nothing without a configuration', async () => {
  await using t = await testPlugin(plugin, { request: { headers: { 'x-a': '1' } } });
  expect((await t.run()).upstream?.headers['x-a']).toBe('1');
});

it('lets nobody around its response handler', async () => {
  const request = { headers: { upgrade: 'WebSocket' } };
  await using t = await testPlugin(plugin, { config: { response: { remove: ['server'] } }, request });
  expect((await t.access()).exit?.status).toBe(400);
  await using without = await testPlugin(plugin, { config: { request: { set: { a: '1' } } }, request });
  expect((await without.access()).exit).toBeNull();
});
