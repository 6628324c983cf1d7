import { afterEach, describe, expect, test } from 'vitest';
import { send } from './support/client.ts';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';

let gateway: TestGateway;

afterEach(async () => gateway.close());

describe.each(['protobuf', 'msgpack'] as const)('a request through a plugin over %s', (protocol) => {
  test('meets the phases in order and reaches the upstream', async () => {
    gateway = await testGateway({
      protocol,
      script: {
        access: [
          ['kong.request.get_header', 'user-agent'],
          ['kong.response.set_header', 'x-hello', 'hi'],
        ],
      },
    });
    const logged = gateway.server.ended('log');
    const answer = await send(`${gateway.sandbox.proxyUrl ?? ''}/a?b=1`, {
      headers: { 'user-agent': 'probe/1' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-hello']).toBe('hi');
    await logged;
    expect(gateway.server.calls.filter((call) => call.done).map((call) => call.phase)).toEqual([
      'rewrite',
      'access',
      'response',
      'log',
    ]);
    expect(gateway.server.calls[1]).toMatchObject({ method: 'kong.request.get_header', value: 'probe/1' });
    expect(gateway.upstream.requests[0]).toMatchObject({ method: 'GET', url: '/base/a?b=1' });
    expect(gateway.server.instances).toHaveLength(1);
    expect(gateway.server.instances[0]?.config).toMatchObject({ n: 5, note: 'pbnote', __seq__: 1 });
  });
});
