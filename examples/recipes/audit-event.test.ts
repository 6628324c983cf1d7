import { expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './audit-event.ts';

const request = { method: 'DELETE', path: '/users/1', query: 'token=secret', clientIp: '192.0.2.1' };

it('tells who has changed what, and no query', async () => {
  await using t = await testPlugin(plugin, {
    request,
    consumer: { username: 'ada' },
    route: { name: 'users' },
  });
  const { events } = await t.run();
  expect(events).toEqual([
    {
      source: 'audit',
      event: 'changed',
      data: {
        consumer: 'ada',
        ip: '192.0.2.1',
        method: 'DELETE',
        path: '/users/1',
        route: 'users',
        status: 200,
      },
    },
  ]);
});

it('says nothing of requests that only read', async () => {
  await using t = await testPlugin(plugin, { request: { ...request, method: 'GET' } });
  expect((await t.run()).events).toEqual([]);
});

it('asks Kong for nothing while nobody listens', async () => {
  await using t = await testPlugin(plugin, { request, eventHooks: 'none' });
  const { events, calls } = await t.run();
  expect([events, calls]).toEqual([[], []]);
});
