// Run it with: node --test
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPluginServer, testPlugin } from 'kong-ts/testing';
import quota from '../quota.ts';

await test('quota counts the requests of a consumer', async () => {
  await using t = await testPlugin(quota, { config: { limit: 2 }, consumer: { username: 'ada' } });
  const { upstream, response } = await t.access();
  assert.equal(upstream?.headers['x-consumer'], 'ada');
  assert.equal(response?.headers['x-quota-left'], '1');
});

await test('refuses what is too much, and logs it', async () => {
  await using t = await testPlugin(quota, { config: { limit: 1 }, consumer: { username: 'ada' } });
  await t.run();
  const { exit, logs, events } = await t.request().run();
  assert.equal(exit?.status, 429);
  assert.deepEqual(exit.json, { message: 'Quota exceeded' });
  assert.equal(exit.headers['retry-after'], '3600');
  assert.deepEqual(
    logs.map(({ level, message }) => [level, message]),
    [['warn', 'quota exceeded']],
  );
  assert.deepEqual(events, [{ source: 'quota', event: 'exceeded', data: { consumer: 'ada', limit: 1 } }]);
});

await test('needs a consumer', async () => {
  await using t = await testPlugin(quota);
  assert.equal((await t.access()).exit?.status, 401);
});

await test('has a configuration that Kong checks', async () => {
  await assert.rejects(testPlugin(quota, { config: { limit: 0 } }), /config\.limit/);
});

await test('works in a real plugin server', async () => {
  await using server = await startPluginServer({ plugins: [`${import.meta.dirname}/../quota.ts`] });
  const instance = await server.startInstance('quota', { config: { limit: 1 } });
  const described = { consumer: { username: 'ada' } };
  assert.equal((await instance.request(described).run()).exit, null);
  assert.equal((await instance.request(described).run()).exit?.status, 429);
});
