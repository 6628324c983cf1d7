import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { testPlugin } from 'kong-ts/testing';
import plugin from '../plugins/__plugin__.ts';

interface Entry {
  request: { uri: string };
}

/** An endpoint that keeps what it is sent. */
async function endpoint() {
  const batches: Entry[][] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    batches.push(JSON.parse(body) as Entry[]);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/logs`;
  return { url, batches, [Symbol.asyncDispose]: async () => void server.close() };
}

test('sends records in batches, and what is left when it closes', async () => {
  await using target = await endpoint();
  const t = await testPlugin(plugin, { config: { endpoint: target.url, batch_size: 2, flush_seconds: 60 } });
  for (const path of ['/1', '/2', '/3']) await t.request({ request: { path } }).run();
  await t.close();
  assert.deepEqual(
    target.batches.map((batch) => batch.map(({ request }) => request.uri)),
    [['/1', '/2'], ['/3']],
  );
});

test('goes on when the endpoint is gone', async () => {
  const t = await testPlugin(plugin, { config: { endpoint: 'http://127.0.0.1:1/', batch_size: 1 } });
  const { exit } = await t.run();
  assert.equal(exit, null);
  await t.close();
});
