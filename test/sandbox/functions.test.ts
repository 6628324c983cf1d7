import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { catalogue } from '../../src/pdk/catalogue.ts';
import { isImplemented } from '../../src/kong-end/pdk/call.ts';
import { send } from './support/client.ts';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { recordedConfig } from './support/recorded-config.ts';
import type { Call } from './support/scripted-server.ts';

interface Matrix {
  functions: Record<
    string,
    { args: unknown[]; protobuf: Record<string, string> | 'absent'; msgpack: Record<string, string> }
  >;
}
const matrix = JSON.parse(
  readFileSync(new URL('../fixtures/kong/pdk-matrix-3.9.3.json', import.meta.url), 'utf8'),
) as Matrix;

let gateway: TestGateway | null = null;

afterEach(async () => {
  await gateway?.close();
  gateway = null;
});

test('every function of the catalogue is answered', () => {
  expect(catalogue.map((row) => row.name).filter((name) => !isImplemented(name))).toEqual([]);
});

/** Calls that Kong answered in a phase; those that need an upstream entity or change where it goes come last. */
function accepted(phase: string, protocol: 'protobuf' | 'msgpack'): Call[] {
  return Object.entries(matrix.functions)
    .filter(([name, { [protocol]: phases }]) => {
      const lua = name.startsWith('kong.table') || name.startsWith('kong.tracing');
      return !lua && typeof phases === 'object' && phases[phase] === 'ok' && !moves.has(name);
    })
    .map(([name, { args }]): Call => [name, ...args]);
}

/** These send the request elsewhere; they have tests of their own. */
const moves = new Set(['kong.service.set_upstream', 'kong.service.set_target', 'kong.log.inspect']);

describe.each(['protobuf', 'msgpack'] as const)('over %s', (protocol) => {
  test('what Kong answers is answered, phase by phase', async () => {
    const phases = ['certificate', 'rewrite', 'access', 'response', 'log'];
    const script = Object.fromEntries(phases.map((phase) => [phase, accepted(phase, protocol)]));
    gateway = await testGateway({
      protocol,
      script,
      config: (port) => recordedConfig(port),
      sandbox: { proxyListen: '127.0.0.1:0 ssl' },
    });
    const logged = gateway.server.ended('log');
    const answer = await send(`${gateway.sandbox.proxyTlsUrl ?? ''}/cap/th%20ing/42?foo=bar&flag`, {
      method: 'POST',
      headers: {
        apikey: 'alicekey',
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': '16',
      },
      body: 'name=John&age=42',
    });
    expect(answer.status).toBe(201);
    await logged;
    for (const phase of phases)
      expect(
        gateway.server.calls.filter((call) => call.phase === phase && call.method !== undefined),
      ).toHaveLength(script[phase]?.length ?? -1);
  });
});

describe.each(['protobuf', 'msgpack'] as const)('what Kong rejects over %s is rejected', (protocol) => {
  const phases = ['rewrite', 'access', 'response'] as const;
  test.each(phases)('in %s', async (phase) => {
    gateway = await testGateway({ protocol, config: (port) => recordedConfig(port) });
    const rejected = Object.entries(matrix.functions).filter(
      ([, { [protocol]: outcomes }]) => typeof outcomes === 'object' && outcomes[phase] === 'rejected',
    );
    const wrong: string[] = [];
    for (const [name, { args }] of rejected) {
      gateway.server.script = { [phase]: [[name, ...args]] };
      const url = `${gateway.sandbox.proxyUrl ?? ''}/cap/a/1?apikey=alicekey`;
      if ((await send(url)).status !== 500) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });
});
