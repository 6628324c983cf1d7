import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPlugin } from 'kong-ts/testing';
import plugin from '../plugins/__plugin__.ts';

test('rejects what is not for clients, and tells of it', async () => {
  await using t = await testPlugin(plugin, { request: { path: '/internal/metrics' } });
  const { exit, events } = await t.run();
  assert.equal(exit?.status, 403);
  assert.deepEqual(events, [
    {
      source: '__plugin__',
      event: 'rejected',
      data: { path: '/internal/metrics', reason: '/internal is not for clients' },
    },
  ]);
});

test('lets everything else through', async () => {
  await using t = await testPlugin(plugin, { request: { path: '/internals' } });
  const { exit, events } = await t.run();
  assert.equal(exit, null);
  assert.deepEqual(events, []);
});
