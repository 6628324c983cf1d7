import { expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import plugin from './validate.ts';

const post = async (body: string, headers: Record<string, string> = {}, method = 'POST') => {
  await using t = await testPlugin(plugin, {
    request: { method, headers: { 'content-type': 'application/json', ...headers }, body },
  });
  return await t.access();
};

it('hands on what it has checked, and nothing that a second reader could see otherwise', async () => {
  const { exit, upstream } = await post('{"item":"tea","count":500,"count":2}', {
    'content-type': 'application/json; charset=utf-7',
  });
  expect(exit).toBeNull();
  expect(upstream?.text).toBe('{"item":"tea","count":2}');
  expect(upstream?.headers['content-type']).toBe('application/json');
});

it('names every field that is wrong', async () => {
  const { exit } = await post('{"item":"TEA","count":0,"gift_for":"x","admin":true}');
  expect(exit?.status).toBe(400);
  const { errors } = exit?.json as { errors: { field: string }[] };
  expect(errors.map(({ field }) => field).sort()).toEqual(['', 'count', 'gift_for', 'item']);
});

it.each([
  [400, 'not JSON', {}, 'POST'],
  [400, '[]', {}, 'POST'],
  [405, '', {}, 'GET'],
  [415, 'item=tea', { 'content-type': 'application/x-www-form-urlencoded' }, 'POST'],
  [415, '{}', { 'content-encoding': 'gzip' }, 'POST'],
  [413, JSON.stringify({ item: 'x'.repeat(17_000) }), {}, 'POST'],
])('answers %i to what it cannot check', async (status, body, headers, method) => {
  expect((await post(body, headers, method)).exit?.status).toBe(status);
});
