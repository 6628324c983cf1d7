import { afterEach, describe, expect, test } from 'vitest';
import { send } from './support/client.ts';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import type { Call } from './support/scripted-server.ts';

let gateway: TestGateway;

afterEach(async () => gateway.close());

const number = ['kong.request.get_header', 'x-n'] as const;
const script = { rewrite: [number], access: [number], response: [number] };

async function request(n: string): Promise<void> {
  const logged = gateway.server.ended('log');
  await send(`${gateway.sandbox.proxyUrl ?? ''}/x`, { headers: { 'x-n': n } });
  // A log event that Kong aborts never ends for the server.
  await Promise.race([logged, expect.poll(() => gateway.logs.join('\n')).toContain(' log: ')]);
}

/** What the plugin read of the header, by phase. */
function read(): Record<string, unknown> {
  return Object.fromEntries(
    gateway.server.calls.filter(({ method }) => method === number[0]).map((call) => [call.phase, call.value]),
  );
}

/** The values of the second of two requests. */
async function second(log: readonly Call[]): Promise<Record<string, unknown>> {
  gateway.server.script = { ...script, log };
  await request('1');
  gateway.server.calls.length = 0;
  await request('2');
  return read();
}

describe.each(['protobuf', 'msgpack'] as const)('a log event over %s', (protocol) => {
  test('that ends leaves nothing behind', async () => {
    gateway = await testGateway({ protocol });
    expect(await second([['kong.log.serialize']])).toEqual({ rewrite: '2', access: '2', response: '2' });
  });

  test('in which Kong raises leaves its request to later rewrite and response handlers, never to access', async () => {
    gateway = await testGateway({ protocol });
    expect(await second([['kong.request.get_method']])).toEqual({ rewrite: '1', access: '2', response: '1' });
  });

  test('that asks for an answer that Kong has not kept leaves its request behind, too', async () => {
    gateway = await testGateway({ protocol, phases: ['rewrite', 'access', 'log'] });
    expect(await second([['kong.service.response.get_status']])).toEqual({ rewrite: '1', access: '2' });
  });

  test('that ends on a coroutine clears what another has left there', async () => {
    gateway = await testGateway({ protocol });
    await second([['kong.request.get_method']]);
    gateway.logs.length = 0;
    expect(await second([])).toEqual({ rewrite: '2', access: '2', response: '2' });
  });

  test('that the server answers with garbage leaves its request behind', async () => {
    gateway = await testGateway({ protocol, phases: ['rewrite', 'log'] });
    gateway.server.script = script;
    await request('0');
    const over = gateway.server.ended('rewrite');
    const answer = send(`${gateway.sandbox.proxyUrl ?? ''}/x`, { headers: { 'x-n': '1' } });
    await over;
    gateway.server.mode = 'garbage';
    await answer;
    await expect.poll(() => gateway.logs.join('\n')).toContain(' log: ');
    gateway.server.mode = 'normal';
    await request('2');
    expect(read()['rewrite']).toBe('1');
  });

  test('whose instance cannot be started leaves its request behind', async () => {
    gateway = await testGateway({ protocol, phases: ['log'] });
    gateway.server.mode = 'refuse-start';
    await request('1');
    expect(gateway.logs.join('\n')).toContain('starting instance: ');
  });
});

test('ProtoBuf:1: a log event that fails raises in the log timer: the 500 has nobody to go to', async () => {
  gateway = await testGateway({ phases: ['rewrite', 'log'], sandbox: { pluginServerTimeoutMs: 1000 } });
  gateway.server.script = script;
  await request('0');
  const over = gateway.server.ended('rewrite');
  const answer = send(`${gateway.sandbox.proxyUrl ?? ''}/x`, { headers: { 'x-n': '1' } });
  await over;
  gateway.server.mode = 'silent';
  await answer;
  await expect.poll(() => gateway.logs.join('\n')).toContain('pluginserver error: timeout');
  gateway.server.mode = 'normal';
  await request('2');
  expect(read()['rewrite']).toBe('1');
});
