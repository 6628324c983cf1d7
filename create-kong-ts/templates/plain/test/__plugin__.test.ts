import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPlugin } from 'kong-ts/testing';
import plugin from '../plugins/__plugin__.ts';

test('greets in a header for the service', async () => {
  await using t = await testPlugin(plugin, {
    config: { greeting: 'Welcome' },
    request: { query: { name: 'Ada' } },
  });
  const { upstream, response } = await t.run();
  assert.equal(upstream?.headers['x-greeting'], 'Welcome, Ada!');
  assert.equal(response?.headers['x-served-by'], '__plugin__');
});

test('refuses an argument without a name', async () => {
  await using t = await testPlugin(plugin, { request: { url: '/?name' } });
  const { exit } = await t.run();
  assert.equal(exit?.status, 400);
  assert.deepEqual(exit.json, { message: 'A name, please: ?name=Ada' });
});

test('has a configuration that Kong checks', async () => {
  await assert.rejects(testPlugin(plugin, { config: { greeting: '' } }), /config\.greeting/);
});
