import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPlugin } from 'kong-ts/testing';
import plugin from '../plugins/__plugin__.ts';

test('counts the requests of each consumer', async () => {
  await using t = await testPlugin(plugin, { config: { limit: 2 } });
  const as = async (username: string) => {
    const { exit, response } = await t.request({ consumer: { username } }).run();
    return exit?.status ?? response?.headers['x-requests-left'];
  };
  assert.equal(await as('ada'), '1');
  assert.equal(await as('ada'), '0');
  assert.equal(await as('ada'), 429);
  assert.equal(await as('grace'), '1');
});

test('says when to come again', async () => {
  await using t = await testPlugin(plugin, { config: { limit: 1, window_seconds: 30 } });
  await t.run();
  const { exit } = await t.request().run();
  assert.equal(exit?.status, 429);
  assert.match(String(exit.headers['retry-after']), /^(29|30)$/);
});
