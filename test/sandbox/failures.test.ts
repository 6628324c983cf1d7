import { afterEach, describe, expect, test } from 'vitest';
import type { Answer } from './support/client.ts';
import { send } from './support/client.ts';
import type { GatewayOptions, TestGateway } from './support/gateway.ts';
import { defaultConfig, testGateway } from './support/gateway.ts';

let gateway: TestGateway;

afterEach(async () => gateway.close());

async function start(protocol: 'protobuf' | 'msgpack', options: GatewayOptions = {}): Promise<void> {
  gateway = await testGateway({ protocol, phases: ['access', 'log'], ...options });
}

const get = (): Promise<Answer> => send(`${gateway.sandbox.proxyUrl ?? ''}/x`);

describe.each(['protobuf', 'msgpack'] as const)('a plugin server over %s', (protocol) => {
  test('that forgot an instance gets a new one, and the client sees nothing', async () => {
    await start(protocol);
    await get();
    gateway.server.forgotten.add(100_000);
    expect((await get()).status).toBe(200);
    expect(gateway.server.instances.map(({ op }) => op)).toEqual(['start', 'start']);
  });

  test('that ends every connection does not hang the request', async () => {
    await start(protocol);
    gateway.server.mode = 'close';
    const answer = await get();
    expect(answer.status).toBe(protocol === 'protobuf' ? 500 : 200);
    expect(gateway.server.opened).toBeLessThan(50);
  });

  test('that is silent is waited for only so long', async () => {
    await start(protocol, { sandbox: { pluginServerTimeoutMs: 100 } });
    gateway.server.mode = 'silent';
    expect((await get()).status).toBe(protocol === 'protobuf' ? 500 : 200);
  });

  test('that answers with garbage gives the client a 500: Kong raises over both protocols', async () => {
    await start(protocol);
    gateway.server.mode = 'garbage';
    expect((await get()).status).toBe(500);
  });

  test('that refuses to start an instance gives the client a 500', async () => {
    await start(protocol);
    gateway.server.mode = 'refuse-start';
    const answer = await get();
    expect(answer.status).toBe(500);
    // Kong's error handler writes text to a client that names no type (error_default_type).
    expect(answer.text).toMatch(/^An unexpected error occurred\nrequest_id: [0-9a-f]+\n$/);
  });

  test('that is not there gives the client a 500: no instance can be started', async () => {
    await start(protocol);
    await gateway.server.close();
    expect((await get()).status).toBe(500);
    expect(gateway.logs.join('\n')).toContain('no such file or directory');
  });

  test('gets the new configuration after a change, then the old instance is closed', async () => {
    await start(protocol, { sandbox: { adminListen: '127.0.0.1:0' } });
    await get();
    const [plugin] = gateway.sandbox.store.snapshot().plugins;
    const changed = await send(`${gateway.sandbox.adminUrl ?? ''}/plugins/${plugin?.id ?? ''}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ config: { list: ['v1'] } }),
    });
    expect(changed.status).toBe(200);
    await get();
    expect(gateway.server.instances.map(({ op, id }) => [op, id])).toEqual([
      ['start', 100_000],
      ['start', 100_001],
      ['close', 100_000],
    ]);
    expect(gateway.server.instances[1]?.config).toMatchObject({ list: ['v1'] });
  });

  test('starts anew after a reload, and events in flight end', async () => {
    await start(protocol);
    const logged = gateway.server.ended('log');
    await get();
    gateway.writeConfig(defaultConfig(gateway.upstream.port));
    await gateway.sandbox.reload();
    await logged;
    expect((await get()).status).toBe(200);
    expect(gateway.server.instances.map(({ op }) => op)).toEqual(['start', 'start']);
  });

  test('an invalid file leaves the old configuration in place', async () => {
    await start(protocol);
    gateway.writeConfig({ _format_version: '3.0', services: [{ name: 's' }] });
    await expect(gateway.sandbox.reload()).rejects.toMatchObject({ code: 'DECLARATIVE_INVALID' });
    expect((await get()).status).toBe(200);
  });

  test('a call that Kong rejects ends the event with 500', async () => {
    await start(protocol, { script: { access: [['kong.service.request.set_method', 'nope']] } });
    expect((await get()).status).toBe(500);
    gateway.server.script = {};
    expect((await get()).status).toBe(200);
  });

  test('a failure in log harms nobody', async () => {
    await start(protocol, { script: { log: [['kong.request.get_method']] } });
    expect((await get()).status).toBe(200);
    await expect.poll(() => gateway.logs.join('\n')).toContain('cannot be called in log phase');
  });

  test('many requests at once share one instance', async () => {
    await start(protocol, {
      script: { access: [['kong.request.get_header', 'x-n'], ['kong.request.get_method']] },
    });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        send(`${gateway.sandbox.proxyUrl ?? ''}/x`, { headers: { 'x-n': String(n) } }),
      ),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(gateway.server.instances).toHaveLength(1);
    const seen = gateway.server.calls.filter((call) => call.method === 'kong.request.get_header');
    expect(new Set(seen.map((call) => call.value)).size).toBe(50);
  });

  test('two simulated workers start an instance each', async () => {
    await start(protocol, { sandbox: { workers: 2 } });
    for (let count = 0; count < 4; count++)
      await send(`${gateway.sandbox.proxyUrl ?? ''}/x`, { headers: { connection: 'close' } });
    expect(gateway.server.instances).toHaveLength(2);
  });
});

test('MsgPack:1: an error of the plugin lets the request through', async () => {
  await start('msgpack');
  gateway.server.mode = 'error';
  expect((await get()).status).toBe(200);
  expect(gateway.logs.join('\n')).toContain('the plugin failed');
});
