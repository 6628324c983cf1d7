import { expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './mock.ts';

const answers = [
  { path: '/users/1', body: '{"name":"Ada"}' },
  { method: 'POST', path: '/users', status: 201 },
  { path: '/files/*', type: 'text/plain', body: 'a file' },
];
const ask = async (method: string, path: string, others = 'refuse') => {
  await using t = await testPlugin(plugin, { config: { answers, others }, request: { method, path } });
  return await t.access();
};

it('answers by method and path', async () => {
  expect((await ask('GET', '/users/1')).exit).toMatchObject({ status: 200, json: { name: 'Ada' } });
  expect((await ask('POST', '/users')).exit).toMatchObject({ status: 201, headers: { 'x-mock': 'true' } });
  expect((await ask('GET', '/files/a/b')).exit).toMatchObject({ headers: { 'content-type': 'text/plain' } });
  expect((await ask('HEAD', '/users/1')).exit).toMatchObject({ status: 200, text: '' });
});

it('refuses the others, or lets them pass', async () => {
  expect((await ask('GET', '/users')).exit?.status).toBe(501);
  expect((await ask('GET', '/users', 'pass')).exit).toBeNull();
});
