import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPluginServer } from 'kong-ts/testing';

const file = fileURLToPath(new URL('../plugins/__plugin__.cjs', import.meta.url));

test('says hello in a header', async () => {
  await using server = await startPluginServer({ plugins: [file] });
  const instance = await server.startInstance('__plugin__', { config: { message: 'good day' } });
  const { response } = await instance.request({ request: { headers: { host: 'example.com' } } }).run();
  assert.equal(response?.headers['x-hello-from'], 'good day to example.com');
});
