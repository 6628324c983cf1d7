import { describe, expect, it } from 'vitest';
import { createKong } from '../../../src/pdk/index.ts';
import type { KongApi, Phase, Protocol } from '../../../src/pdk/index.ts';
import { FakeChannel } from './fake-channel.ts';

type Call = (kong: KongApi) => Promise<unknown>;

async function refused(call: Call, protocol: Protocol = 'protobuf', phase: Phase = 'access') {
  const channel = new FakeChannel(protocol, phase);
  const error: unknown = await call(createKong(channel)).then(
    () => new Error('not refused'),
    (thrown: unknown) => thrown,
  );
  expect(channel.sent).toEqual([]);
  expect(error).toMatchObject({ code: 'PDK_INVALID_ARGUMENT' });
  return String(error);
}

async function sent(
  call: Call,
  protocol: Protocol = 'protobuf',
  phase: Phase = 'access',
  answer: unknown = null,
) {
  const channel = new FakeChannel(protocol, phase, () => answer);
  await call(createKong(channel)).catch(() => undefined);
  return channel.sent.map(({ name, args }) => [name, ...args]);
}

/** A value that TypeScript would not let through. */
const wrong = (value: unknown) => value as never;

describe('arguments that Kong rejects are refused here, and nothing is sent', () => {
  it.each<[string, Call]>([
    ['a status below 100', (kong) => kong.response.setStatus(99)],
    ['a status above 599', (kong) => kong.response.setStatus(600)],
    ['a status that is not an integer', (kong) => kong.response.setStatus(200.5)],
    ['no status', (kong) => kong.response.setStatus(wrong(undefined))],
    ['an exit status of text', (kong) => kong.response.exit(wrong('403'))],
    ['an exit body that is a number', (kong) => kong.response.exit(200, wrong(5))],
    ['an error status below 400', (kong) => kong.response.error(302)],
    [
      'an error with a content type that Kong has no template for',
      (kong) => kong.response.error(400, 'x', { 'content-type': 'image/png' }),
    ],
    ['a header name that is empty', (kong) => kong.response.setHeader('', 'x')],
    ['a header name that is not text', (kong) => kong.request.getHeader(wrong(1))],
    ['a header value that is an object', (kong) => kong.response.setHeader('x', wrong({ a: 1 }))],
    ['a header value that is null', (kong) => kong.response.setHeader('x', wrong(null))],
    ['an array of numbers as header', (kong) => kong.response.setHeader('x', wrong([1]))],
    ['headers with null', (kong) => kong.service.request.setHeaders({ 'x-a': wrong(null) })],
    ['headers that are an array', (kong) => kong.response.setHeaders(wrong(['x']))],
    ['two Host headers', (kong) => kong.service.request.setHeader('Host', ['a', 'b'])],
    ['two Host headers among headers', (kong) => kong.service.request.setHeaders({ host: ['a', 'b'] })],
    ['an unknown scheme', (kong) => kong.service.request.setScheme(wrong('grpc'))],
    ['a path without a slash', (kong) => kong.service.request.setPath('np')],
    ['a method in lower case', (kong) => kong.service.request.setMethod(wrong('put'))],
    ['a method that nginx does not know', (kong) => kong.service.request.setMethod(wrong('CONNECT'))],
    ['a query with a nested object', (kong) => kong.service.request.setQuery({ a: wrong({}) })],
    ['a raw query that is not text', (kong) => kong.service.request.setRawQuery(wrong({}))],
    ['a serialize key below a plain value', (kong) => kong.log.setSerializeValue('request.method.x', 1)],
    ['a raw body that is an object', (kong) => kong.service.request.setRawBody(wrong({}))],
    ['a port above 65535', (kong) => kong.service.setTarget('h', 65_536)],
    ['a port of text', (kong) => kong.service.setTarget('h', wrong('80'))],
    ['an upstream that is empty', (kong) => kong.service.setUpstream('')],
    ['a maximum of 0', (kong) => kong.request.getHeaders(0)],
    ['a maximum above 1000', (kong) => kong.request.getQuery(1001)],
    ['a consumer id that is not a UUID', (kong) => kong.client.loadConsumer('alice')],
    ['neither consumer nor credential', (kong) => kong.client.authenticate(null, null)],
    ['a consumer that is text', (kong) => kong.client.authenticate(wrong('alice'), null)],
    [
      'a shared function',
      (kong) =>
        kong.ctx.shared.set(
          'k',
          wrong(() => 1),
        ),
    ],
    ['a shared NaN', (kong) => kong.ctx.shared.set('k', Number.NaN)],
    ['a null inside an array', (kong) => kong.ctx.shared.set('k', [1, null, 2])],
    ['a shared class instance', (kong) => kong.ctx.shared.set('k', wrong(new Map()))],
    ['false over ProtoBuf:1', (kong) => kong.ctx.shared.set('k', { a: { b: false } })],
    ['a mode over ProtoBuf:1', (kong) => kong.log.setSerializeValue('k', 1, { mode: 'add' })],
    ['a memory unit over ProtoBuf:1', (kong) => kong.node.getMemoryStats('k')],
    ['a body type that Kong does not encode', (kong) => kong.service.request.setBody({ a: 1 }, 'text/plain')],
    [
      'a form from an array',
      (kong) => kong.service.request.setBody([1], 'application/x-www-form-urlencoded'),
    ],
    ['a form with an object', (kong) => kong.service.request.setBody({ a: {} }, 'multipart/form-data')],
  ])('%s', async (_what, call) => {
    await refused(call);
  });

  it.each<[string, Call]>([
    ['retries above 32767', (kong) => kong.service.setRetries(32_768)],
    ['a timeout of 0', (kong) => kong.service.setTimeouts(0, 1, 1)],
    ['a depth of text', (kong) => kong.service.setTlsVerifyDepth(wrong('2'))],
    ['a verify result of its own', (kong) => kong.client.tls.setClientVerify(wrong('MAYBE'))],
    ['an unknown mode', (kong) => kong.log.setSerializeValue('k', 1, { mode: wrong('merge') })],
  ])('%s over MsgPack:1', async (_what, call) => {
    await refused(call, 'msgpack');
  });

  it('an exit status that a stream does not have', async () => {
    expect(await refused((kong) => kong.response.exit(404), 'protobuf', 'preread')).toContain(
      '200, 400, 403, 500',
    );
  });

  it('says function, argument, what was given and what is allowed', async () => {
    expect(await refused((kong) => kong.service.setTarget('h', -1))).toContain(
      'kong.service.setTarget(): port must be an integer from 0 to 65535, not -1.',
    );
    expect(
      await refused((kong) => kong.ctx.shared.set('k', { list: [1, { deep: wrong(Symbol('s')) }] })),
    ).toContain('value.list[1].deep must be a JSON value, not a symbol.');
    expect(await refused((kong) => kong.request.getQueryArg(wrong('x'.repeat(0) || 12)))).toContain(
      'name must be a string',
    );
  });

  it('a cycle', async () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(await refused((kong) => kong.ctx.shared.set('k', wrong(cycle)))).toContain(
      'nested at most 64 deep',
    );
  });
});

describe('arguments travel as Kong reads them', () => {
  it('header values as text, over both protocols', async () => {
    for (const protocol of ['protobuf', 'msgpack'] as const) {
      expect(await sent((kong) => kong.response.setHeader('x-n', 5), protocol)).toEqual([
        ['kong.response.set_header', 'x-n', '5'],
      ]);
      expect(await sent((kong) => kong.response.setHeaders({ a: false, b: ['1', '2'] }), protocol)).toEqual([
        ['kong.response.set_headers', { a: 'false', b: ['1', '2'] }],
      ]);
    }
  });

  it('a list of added headers one by one', async () => {
    expect(await sent((kong) => kong.service.request.addHeader('x', wrong(['1', '2'])))).toEqual([
      ['kong.service.request.add_header', 'x', '1'],
      ['kong.service.request.add_header', 'x', '2'],
    ]);
  });

  it('query values as text, without false', async () => {
    expect(
      await sent((kong) => kong.service.request.setQuery({ a: ['1', 2, false], b: false, c: true, d: 1.5 })),
    ).toEqual([['kong.service.request.set_query', { a: ['1', '2'], c: true, d: '1.5' }]]);
  });

  it('defaults that ProtoBuf:1 cannot leave out', async () => {
    expect(await sent((kong) => kong.request.getHeaders())).toEqual([['kong.request.get_headers', 100]]);
    expect(await sent((kong) => kong.client.getProtocol())).toEqual([['kong.client.get_protocol', false]]);
    // A size that is too small would end the request with a 500: it is looked at here.
    for (const limit of [undefined, 5000]) {
      expect(await sent((kong) => kong.request.getRawBody(limit), 'msgpack', 'access', '')).toEqual([
        ['kong.nginx.get_var', 'upstream_via'],
        ['kong.request.get_raw_body', 0],
      ]);
    }
  });

  it('shared values without what Lua has no word for', async () => {
    const value = { a: [1, 'x', true, null], n: null, u: undefined, d: new Date(0), b: { c: 1.5 } };
    for (const protocol of ['protobuf', 'msgpack'] as const) {
      expect(await sent((kong) => kong.ctx.shared.set('k', wrong(value)), protocol)).toEqual([
        ['kong.ctx.shared.set', 'k', { a: [1, 'x', true], d: '1970-01-01T00:00:00.000Z', b: { c: 1.5 } }],
      ]);
    }
    expect(await sent((kong) => kong.ctx.shared.set('k', false), 'msgpack')).toEqual([
      ['kong.ctx.shared.set', 'k', false],
    ]);
    expect(await sent((kong) => kong.ctx.shared.set('k', null))).toEqual([
      ['kong.ctx.shared.set', 'k', null],
    ]);
  });

  it('log values as Kong prints them, objects as JSON', async () => {
    expect(await sent((kong) => kong.log.notice('m', 1, true, false, { a: [1] }, null))).toEqual([
      ['kong.log.notice', 'm', 1, true, 'false', '{"a":[1]}', 'nil'],
    ]);
    expect(await sent((kong) => kong.log('plain'))).toEqual([['kong.log.notice', 'plain']]);
    expect(await sent((kong) => kong.log('plain'), 'msgpack')).toEqual([['kong.log', 'plain']]);
  });

  it('a name such as __proto__ as plain data', async () => {
    const [call] = await sent((kong) =>
      kong.ctx.shared.set('k', JSON.parse('{"__proto__":{"x":1}}') as never),
    );
    expect(Object.keys(call?.[2] as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('after the end of an event', () => {
  it('every call rejects and nothing is sent', async () => {
    const channel = new FakeChannel('protobuf', 'access');
    const kong = createKong(channel);
    await expect(kong.response.exit(403, { message: 'no' })).rejects.toMatchObject({ name: 'ExitSignal' });
    await expect(kong.response.setHeader('x', 'y')).rejects.toMatchObject({ code: 'PDK_EVENT_ENDED' });
    await expect(kong.request.getHeader('x')).rejects.toMatchObject({ code: 'PDK_EVENT_ENDED' });
    await expect(kong.request.getBody()).rejects.toMatchObject({ code: 'PDK_EVENT_ENDED' });
    expect(channel.names).toEqual(['kong.response.exit']);
  });

  it('calls that are not awaited make no unhandled rejection', async () => {
    const seen: unknown[] = [];
    const note = (reason: unknown) => seen.push(reason);
    process.on('unhandledRejection', note);
    const kong = createKong(new FakeChannel('msgpack', 'access'));
    void kong.response.exit(403);
    void kong.response.setHeader('x', 'y');
    void kong.request.getHeader('x');
    const composed = new FakeChannel('protobuf', 'access');
    void createKong(composed).response.error(403);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(seen).toEqual([]);
    expect(composed.names.at(-1)).toBe('kong.response.exit');
    expect(composed.held).toHaveLength(1);
  });
});

describe("names in nginx's context that Kong works with", () => {
  it.each(['protobuf', 'msgpack'] as const)(
    'are not set: without its phase Kong raises at every call (%s)',
    async (protocol) => {
      for (const phase of ['access', 'log'] as const) {
        for (const name of ['KONG_PHASE', 'authenticated_consumer', 'route', '_own'])
          expect(await refused((kong) => kong.nginx.setCtx(name, 1), protocol, phase)).toContain(
            'no name that Kong',
          );
      }
      expect(await sent((kong) => kong.nginx.setCtx('mine', 1), protocol)).toEqual([
        ['kong.nginx.set_ctx', 'mine', 1],
      ]);
    },
  );
});

describe('exit', () => {
  it('sends an object as JSON with its content type over ProtoBuf:1', async () => {
    expect(await sent((kong) => kong.response.exit(403, { message: 'no', list: [] }, { 'x-a': 1 }))).toEqual([
      [
        'kong.response.exit',
        403,
        '{"message":"no","list":[]}',
        { 'x-a': '1', 'Content-Type': 'application/json; charset=utf-8' },
      ],
    ]);
    expect(
      await sent((kong) => kong.response.exit(200, [1], { 'content-type': 'application/problem+json' })),
    ).toEqual([['kong.response.exit', 200, '[1]', { 'content-type': 'application/problem+json' }]]);
  });

  it('leaves an object that Lua can hold to Kong over MsgPack:1', async () => {
    expect(await sent((kong) => kong.response.exit(403, { message: 'no' }), 'msgpack')).toEqual([
      ['kong.response.exit', 403, { message: 'no' }],
    ]);
    expect(await sent((kong) => kong.response.exit(200, { items: [] }), 'msgpack')).toEqual([
      ['kong.response.exit', 200, '{"items":[]}', { 'Content-Type': 'application/json; charset=utf-8' }],
    ]);
  });

  it('sends text and bytes as they stand, and no headers to a stream', async () => {
    expect(await sent((kong) => kong.response.exit(204), 'msgpack')).toEqual([['kong.response.exit', 204]]);
    // ProtoBuf:1 has no body that is nil, and Kong would send the length of an empty one.
    expect(await sent((kong) => kong.response.exit(204, undefined, { 'x-a': '1' }))).toEqual([
      ['kong.response.exit', 204, null, { 'x-a': '1', 'Content-Length': [] }],
    ]);
    expect(await sent((kong) => kong.response.exit(200, new Uint8Array([1, 255])))).toEqual([
      ['kong.response.exit', 200, Buffer.from([1, 255])],
    ]);
    expect(await sent((kong) => kong.response.exit(200, { a: 1 }), 'protobuf', 'preread')).toEqual([
      ['kong.response.exit', 200, '{"a":1}'],
    ]);
  });
});
