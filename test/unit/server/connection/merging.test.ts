import { beforeEach, describe, expect, test } from 'vitest';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import type { HttpExchange } from '../../../../src/kong-end/index.ts';
import type { Phase } from '../../../../src/pdk/names/phases.ts';
import { PrefetchLearners } from '../../../../src/server/connection/prefetch-learner.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { KongInProcess } from '../../../support/kong-in-process.ts';
import type { KongEvent } from '../../../support/kong-in-process.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';
import { requestExchange } from '../../../support/random-programs.ts';

/** For which request a handler runs. */
interface Wanted {
  readonly headers?: readonly (readonly [string, string])[];
  readonly phase?: Phase;
}

const few: readonly (readonly [string, string])[] = [
  ['Host', 'kong.test'],
  ['X-A', 'a'],
  ['X-B', 'b'],
];
const many = [...few, ...Array.from({ length: 110 }, (_, at) => [`X-N${String(at)}`, String(at)] as const)];

describe.each(['protobuf', 'msgpack'] as const)('over %s', (protocol) => {
  let host: TestHost;
  let kong: KongInProcess;
  let exchange: HttpExchange;
  beforeEach(() => {
    host = testHost({ createKong });
    kong = new KongInProcess(host, protocol);
  });

  /** Runs a handler once, for a request with these headers. */
  function run(
    handler: (kong: KongApi) => unknown,
    { headers = few, phase = 'access' }: Wanted = {},
  ): Promise<KongEvent> {
    exchange = requestExchange(headers, []);
    if (phase === 'response')
      for (const [name, value] of headers) exchange.answer.headers.append(name, value);
    const handlers = { [phase]: (kong: unknown) => handler(kong as KongApi) };
    host.instances.set(7, { ...testInstance(7, handlers, { protocol }), merges: true });
    return kong.event(7, phase, exchange);
  }
  const merged = (phase: Phase = 'access') => host.instances.get(7)?.stats[phase].merged;

  test('ten setters are one call, and the end leaves with it', async () => {
    const { methods, writes } = await run(async ({ response }) => {
      for (let at = 0; at < 10; at++) await response.setHeader(`x-${String(at)}`, String(at));
    });
    expect(methods).toEqual(['kong.response.set_headers']);
    expect(writes).toBe(protocol === 'protobuf' ? 1 : 2);
    expect(exchange.answer.headers.get('x-9')).toBe('9');
    expect(merged()).toBe(9);
  });

  test('setters between getters of the request leave together after the last of them', async () => {
    const { methods } = await run(async ({ request, response }) => {
      for (const name of ['x-a', 'x-b', 'host'])
        await response.setHeader(`echo-${name}`, (await request.getHeader(name)) ?? '');
    });
    expect(methods.slice(-1)).toEqual(['kong.response.set_headers']);
    expect(methods).toHaveLength(4);
  });

  test('a getter that could see a setter comes after it', async () => {
    let seen: unknown;
    const { methods } = await run(async ({ request, service }) => {
      await service.request.setHeader('x-a', 'set');
      await service.request.setHeader('x-c', 'set');
      seen = await request.getHeader('x-a');
    });
    expect(seen).toBe('set');
    expect(methods).toEqual(['kong.service.request.set_headers', 'kong.request.get_header']);
  });

  test.each([
    ['the same name in another case', (kong: KongApi) => kong.response.setHeader('X-1', '3')],
    ['the same name with an underscore', (kong: KongApi) => kong.response.setHeader('x_1', '3')],
    ['add_header', (kong: KongApi) => kong.response.addHeader('x-1', '3')],
    ['clear_header', (kong: KongApi) => kong.response.clearHeader('x-1')],
    ['a length', (kong: KongApi) => kong.response.setHeader('content-length', '3')],
    ['a list of nothing', (kong: KongApi) => kong.response.setHeader('x-3', [])],
    ['a variable of nginx', (kong: KongApi) => kong.nginx.getVar('sent_http_x_1')],
  ])('a run ends at %s', async (_what, other) => {
    const { methods } = await run(async (kong) => {
      await kong.response.setHeader('x-1', '1');
      await kong.response.setHeader('x-2', '2');
      await other(kong);
    });
    expect(methods).toHaveLength(2);
    expect(methods[0]).toBe('kong.response.set_headers');
  });

  test.each([
    ['a host, at which Kong may raise', 'service', ['x-1', 'host']],
    ['E-Tag, which nginx takes for ETag', 'response', ['etag', 'E-Tag']],
  ] as const)('%s, is set by itself', async (_what, target, names) => {
    const { methods } = await run(async (kong) => {
      await kong.response.setHeader('x-before', '1');
      const on = target === 'service' ? kong.service.request : kong.response;
      for (const name of names) await on.setHeader(name, 'kong.test');
    });
    expect(methods.at(-1)).toBe(
      target === 'service' ? 'kong.service.request.set_header' : 'kong.response.set_header',
    );
    expect(methods.slice(0, -1).sort()).toEqual(
      target === 'service'
        ? ['kong.response.set_header', 'kong.service.request.set_header']
        : ['kong.response.set_headers'],
    );
  });

  test('what is set while an answer is waited for is what it was then', async () => {
    await run(async ({ request, service }) => {
      const answers = [request.getHeader('x-a'), request.getHeader('x-b')];
      await new Promise((resolve) => process.nextTick(resolve));
      await new Promise((resolve) => process.nextTick(resolve));
      await service.request.clearHeader('x-c');
      const values = ['1'];
      await service.request.setHeaders({ 'x-l': values });
      values.push('2');
      await Promise.all(answers);
    });
    expect(exchange.headers.getAll('x-l')).toEqual(['1']);
  });

  test('an exit comes after what was set before it', async () => {
    const { methods, end } = await run(async ({ response }) => {
      await response.setHeader('x-1', '1');
      await response.setHeader('x-2', '2');
      await response.exit(403);
    });
    expect([methods, end]).toEqual([['kong.response.set_headers', 'kong.response.exit'], 'exit']);
    expect(exchange.answer.headers.get('x-2')).toBe('2');
  });

  test('what was set before a failure of the handler is in the answer', async () => {
    await run(async ({ response }) => {
      await response.setHeader('x-1', '1');
      throw new Error('no');
    });
    expect(exchange.aborted?.status).toBe(500);
    expect(exchange.answer.headers.get('x-1')).toBe('1');
  });

  test('set_headers joins setters of other names', async () => {
    const { methods } = await run(async ({ response }) => {
      await response.setHeader('x-1', '1');
      await response.setHeaders({ 'x-2': ['2', '3'], __proto__x: '4' });
      await response.setHeader('__proto__', '5');
    });
    expect(methods).toEqual(['kong.response.set_headers']);
    expect(exchange.answer.headers.getAll('x-2')).toEqual(['2', '3']);
    expect(exchange.answer.headers.get('--proto--')).toBe('5');
  });

  test('a list is what it was when it was set', async () => {
    await run(async ({ response }) => {
      const values = ['1'];
      await response.setHeader('x-1', values);
      values.push('2');
      await response.setHeader('x-2', '2');
    });
    expect(exchange.answer.headers.getAll('x-1')).toEqual(['1']);
  });

  test('a value that a setter does not take is refused by itself', async () => {
    const { methods } = await run(async ({ response }) => {
      await response.setHeader('x-1', '1');
      await expect(response.setHeader('x-2', null as never)).rejects.toMatchObject({
        code: 'PDK_INVALID_ARGUMENT',
        message: expect.stringContaining('kong.response.setHeader()') as unknown,
      });
      await response.setHeader('x-3', '3');
    });
    expect(methods).toEqual(['kong.response.set_headers']);
  });

  test('getters of one turn are one call, and settle in their order', async () => {
    const order: unknown[] = [];
    const { methods } = await run(({ request }) =>
      Promise.all([
        request.getHeader('x-a').then((value) => order.push(value)),
        request.getMethod().then((value) => order.push(value)),
        request.getHeader('X_B').then((value) => order.push(value)),
        request.getHeader('x-a').then((value) => order.push(value)),
      ]),
    );
    expect(order).toEqual(['a', 'GET', 'b', 'a']);
    expect([...methods].sort()).toEqual(['kong.request.get_headers', 'kong.request.get_method']);
    expect(merged()).toBe(2);
  });

  test('two query arguments are one call', async () => {
    let values: unknown;
    const { methods } = await run(async ({ request }) => {
      values = await Promise.all([request.getQueryArg('x-a'), request.getQueryArg('x-b')]);
    });
    expect(values).toEqual(['1', true]);
    expect(methods).toEqual(['kong.request.get_raw_query']);
  });

  test('response headers are one call in response', async () => {
    let values: unknown;
    const { methods } = await run(
      async ({ response }) => {
        values = await Promise.all([response.getHeader('x-a'), response.getHeader('x_b')]);
      },
      { phase: 'response' },
    );
    expect(values).toEqual(['a', 'b']);
    expect(methods).toEqual(['kong.response.get_headers']);
  });

  test('where there are too many headers each is asked by itself, and nothing is changed before', async () => {
    let values: unknown;
    const { methods } = await run(
      async ({ request, service }) => {
        const answers = [request.getHeader('x-a'), request.getHeader('x-n109')];
        await new Promise((resolve) => process.nextTick(resolve));
        await new Promise((resolve) => process.nextTick(resolve));
        await service.request.setHeader('x-a', 'set');
        await service.request.clearHeader('x-n109');
        values = [...(await Promise.all(answers)), await request.getHeader('x-a')];
      },
      { headers: many },
    );
    expect(values).toEqual(['a', '109', 'set']);
    expect(methods).toEqual([
      'kong.request.get_headers',
      'kong.request.get_header',
      'kong.request.get_header',
      'kong.service.request.set_header',
      'kong.service.request.clear_header',
      'kong.request.get_header',
    ]);
  });

  test('ten gets and ten sets, one after the other, are two calls once they are known', async () => {
    const handler = async (kong: unknown) => {
      const { request, response } = kong as KongApi;
      for (let at = 0; at < 10; at++)
        await response.setHeader(`y-${String(at)}`, (await request.getHeader(`x-n${String(at)}`)) ?? 'none');
    };
    const ahead = protocol === 'protobuf';
    host.instances.set(7, {
      ...testInstance(7, { access: handler }, { protocol }),
      merges: true,
      prefetch: new PrefetchLearners({ merges: true, ahead }),
    });
    let seen: KongEvent | null = null;
    for (let event = 0; event < 34; event++) {
      exchange = requestExchange(many.slice(0, 40), []);
      seen = await kong.event(7, 'access', exchange);
    }
    expect(seen?.methods).toEqual(['kong.request.get_headers', 'kong.response.set_headers']);
    expect(seen?.writes).toBe(protocol === 'protobuf' ? 2 : 3);
    expect(exchange.answer.headers.get('y-9')).toBe('9');
  });

  test('a run does not grow without bound', async () => {
    const { methods } = await run(async ({ response }) => {
      for (let at = 0; at < 40; at++) await response.setHeader(`x-${String(at)}`, 'v'.repeat(1000));
    });
    expect(methods).toHaveLength(3);
    expect(exchange.answer.headers.get('x-39')).toHaveLength(1000);
  });

  expectNoUnhandledRejections();
});
