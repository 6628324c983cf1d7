import { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KongApi } from '../../src/pdk/index.ts';
import { send } from './support/client.ts';
import type { RealGateway } from './support/real-server.ts';
import { realGateway, simpleConfig } from './support/real-server.ts';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);
process.on('unhandledRejection', onUnhandled);
afterAll(() => void process.off('unhandledRejection', onUnhandled));
afterEach(() => expect(unhandled.splice(0)).toEqual([]));

/**
 * What a client and an upstream see of a plugin is the same over both protocols, and on connections that a plugin of the
 * other protocol uses too, command by command.
 */
describe.each([
  ['protobuf', 'alone', []],
  ['msgpack', 'alone', []],
  ['protobuf', 'on the connections of MsgPack:1', ['beside-msgpack']],
  ['msgpack', 'on the connections of ProtoBuf:1', ['beside-protobuf']],
  ['protobuf', 'each call by itself', []],
  ['msgpack', 'each call by itself', []],
] as const)('a plugin over %s, %s', (protocol, where, others) => {
  let gateway: RealGateway;
  beforeAll(async () => {
    const names = [`behaviour-${protocol}`, ...others];
    gateway = await realGateway(
      names,
      simpleConfig(...names),
      '127.0.0.1:0',
      where !== 'each call by itself',
    );
  });
  afterEach(async () => gateway.logged());
  afterAll(async () => gateway.close());

  const get = (path = '/', headers: Record<string, string> = {}) =>
    send(`${gateway.sandbox.proxyUrl ?? ''}${path}`, { headers });
  const post = (body: Buffer | string, headers: Record<string, string> = {}) =>
    send(`${gateway.sandbox.proxyUrl ?? ''}/`, { method: 'POST', body, headers });
  const upstreamRequest = () => {
    const [request] = gateway.upstream.requests;
    if (request === undefined) throw new Error('nothing has reached the upstream');
    return request;
  };

  describe('ends requests', () => {
    test.each([
      ['text', 'no', undefined, 'no'],
      [
        'bytes',
        Buffer.from([0, 255, 254]),
        'application/octet-stream',
        Buffer.from([0, 255, 254]).toString(),
      ],
      [
        'an object',
        { message: 'no', list: [1, 2] },
        'application/json; charset=utf-8',
        '{"message":"no","list":[1,2]}',
      ],
      ['nothing', undefined, undefined, ''],
    ])('with %s', async (_what, body, type, text) => {
      const headers = {
        'X-Reason': ['a', 'b'],
        ...(type?.includes('octet') === true ? { 'Content-Type': type } : {}),
      };
      gateway.run({ access: (kong) => kong.response.exit(403, body, headers) });
      const answer = await get();
      expect([answer.status, answer.text]).toEqual([403, text]);
      expect(answer.rawHeaders.filter((_v, at, all) => all[at - 1]?.toLowerCase() === 'x-reason')).toEqual([
        'a',
        'b',
      ]);
      if (type !== undefined) expect(answer.headers['content-type']).toBe(type);
      expect(gateway.upstream.requests).toEqual([]);
      expect(gateway.lines).toEqual([]);
    });

    test.each([
      [
        'application/json',
        'application/json; charset=utf-8',
        /^\{\s*"message":"so it is",\s*"request_id":"[0-9a-f]+"\s*\}$/,
      ],
      ['text/html', 'text/html; charset=utf-8', /so it is/],
      ['application/xml', 'application/xml; charset=utf-8', /<message>so it is<\/message>/],
      ['text/plain', 'text/plain; charset=utf-8', /so it is/],
      ['*/*', 'application/json; charset=utf-8', /"message":"so it is"/],
    ])('with Kong’s error body for Accept: %s', async (accept, type, text) => {
      gateway.run({ access: (kong) => kong.response.error(418, 'so it is', { 'x-why': 'tea' }) });
      const answer = await get('/', { accept });
      expect([answer.status, answer.headers['content-type'], answer.headers['x-why']]).toEqual([
        418,
        type,
        'tea',
      ]);
      expect(answer.text.replaceAll(/\s*\n\s*/g, '')).toMatch(text);
      expect(gateway.upstream.requests).toEqual([]);
    });

    test.each(['rewrite', 'access', 'response'] as const)(
      'from %s, and nothing after it runs',
      async (phase) => {
        const ran: string[] = [];
        const helper = async (wait: Promise<unknown>) => {
          await wait;
          ran.push('helper');
        };
        gateway.run({
          [phase]: async (kong: KongApi) => {
            try {
              await Promise.all([
                kong.response.exit(409, 'stop'),
                helper(kong.response.setHeader('x-late', '1')),
                helper(kong.request.getMethod()),
              ]);
              ran.push('after');
            } finally {
              await helper(kong.response.setHeader('x-finally', '1'));
            }
          },
        });
        const answer = await get();
        expect([answer.status, answer.text, answer.headers['x-late'], answer.headers['x-finally']]).toEqual([
          409,
          'stop',
          undefined,
          undefined,
        ]);
        await gateway.logged();
        expect(ran).toEqual([]);
        expect(gateway.lines).toEqual([]);
        expect(gateway.upstream.requests).toHaveLength(phase === 'response' ? 1 : 0);
      },
    );
  });

  describe('that fails', () => {
    test.each(['rewrite', 'access', 'response'] as const)(
      'in %s gives a 500 and one line with a stack',
      async (phase) => {
        gateway.run({
          [phase]: async () => {
            await Promise.resolve();
            throw new Error(`boom in ${phase}`);
          },
        });
        const answer = await get();
        expect([answer.status, JSON.parse(answer.text)]).toEqual([
          500,
          { message: 'An unexpected error occurred' },
        ]);
        await gateway.logged();
        expect(gateway.lines).toMatchObject([
          {
            level: 'error',
            message: expect.stringContaining(`boom in ${phase}`) as string,
            fields: {
              plugin: `behaviour-${protocol}`,
              phase,
              instance: expect.any(Number) as number,
              stack: expect.stringContaining('behaviour.test') as string,
            },
          },
        ]);
        gateway.run({});
        expect((await get()).status).toBe(200);
      },
    );

    test('in log hurts nobody', async () => {
      gateway.run({ log: () => Promise.reject(new Error('boom')) });
      expect((await get()).status).toBe(200);
      await gateway.logged();
      await expect.poll(() => gateway.lines).toMatchObject([{ level: 'error', fields: { phase: 'log' } }]);
    });

    test('with a call that Kong would reject gives a 500 without asking Kong', async () => {
      gateway.run({ access: (kong) => kong.response.setStatus(9999) });
      expect((await get()).status).toBe(500);
      expect(gateway.lines).toMatchObject([{ fields: { code: 'PDK_INVALID_ARGUMENT' } }]);
      expect(gateway.logs.filter((line) => /^(error|warn)/.test(line))).toEqual([]);
    });
  });

  describe('reads the request', () => {
    test('absent and valueless things', async () => {
      let seen: unknown;
      gateway.run({
        access: async ({ request, ctx, client, nginx }) => {
          seen = await Promise.all([
            request.getHeader('nope'),
            request.getQueryArg('flag'),
            request.getQueryArg('empty'),
            request.getQueryArg('nope'),
            request.getQueryArg('many'),
            request.getQuery(),
            request.getRawQuery(),
            ctx.shared.get('nope'),
            client.getConsumer(),
            client.getCredential(),
            nginx.getVar('arg_nope'),
            request.getRawBody(),
            request.getBody(),
          ]);
        },
      });
      expect((await get('/?flag&empty=&many=1&many=2')).status).toBe(200);
      expect(seen).toEqual([
        null,
        true,
        '',
        null,
        '1',
        { flag: true, empty: '', many: ['1', '2'] },
        'flag&empty=&many=1&many=2',
        null,
        null,
        null,
        null,
        Buffer.alloc(0),
        null,
      ]);
    });

    test.each([
      ['application/json', '{"a":[1,{"b":null}],"c":"ü"}', { a: [1, { b: null }], c: 'ü' }],
      ['application/x-www-form-urlencoded', 'a=1&b=%C3%BC&flag', { a: '1', b: 'ü', flag: true }],
      [
        'multipart/form-data; boundary=xyz',
        '--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n--xyz--\r\n',
        { a: 'value' },
      ],
    ])('its body as %s', async (type, body, expected) => {
      let seen: unknown;
      gateway.run({ access: async (kong) => void (seen = await kong.request.getBody()) });
      expect((await post(body, { 'content-type': type })).status).toBe(200);
      expect(seen).toEqual(expected);
    });

    test('header bytes that are not text, and sets them again as they were', async () => {
      const bytes = Buffer.from('80ff41c3a9e282fffe', 'hex');
      gateway.run({
        access: async (kong) => {
          const value = (await kong.request.getHeader('x-bytes')) ?? '';
          const all = await kong.request.getHeaders();
          await kong.service.request.setHeader('x-again', value);
          await kong.service.request.setHeaders({ 'x-third': all['x-bytes'] ?? '' });
          await kong.response.setHeader('x-back', value);
          await kong.ctx.shared.set('value', value);
        },
        response: async (kong) =>
          kong.response.setHeader('x-shared', (await kong.ctx.shared.get('value')) as string),
      });
      const answer = await raw(
        gateway,
        Buffer.concat([
          Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Bytes: '),
          bytes,
          Buffer.from('\r\n\r\n'),
        ]),
      );
      const { headers } = upstreamRequest();
      for (const name of ['x-bytes', 'x-again', 'x-third']) {
        expect(Buffer.from(String(headers[name]), 'latin1')).toEqual(bytes);
      }
      for (const name of ['x-back: ', 'x-shared: ']) {
        const at = answer.toString('latin1').toLowerCase().indexOf(name) + name.length;
        expect(answer.subarray(at, at + bytes.length)).toEqual(bytes);
      }
    });

    const sizes = others.length === 0 ? [60_000, 20_000_000] : [60_000];
    test.each(sizes)('a body of %i bytes, and sends another one on', async (size) => {
      const body = Buffer.alloc(size);
      for (let at = 0; at < size; at += 251) body[at] = at % 256;
      gateway.run({
        access: async (kong) => {
          const bytes = await kong.request.getRawBody();
          expect(bytes.equals(body)).toBe(true);
          await kong.service.request.setRawBody(Buffer.concat([Buffer.from('>'), bytes]));
        },
      });
      const answer = await post(body);
      expect([answer.status, gateway.lines]).toEqual([200, []]);
      const { body: arrived, headers } = upstreamRequest();
      expect([headers['content-length'], arrived[0], arrived.length]).toEqual([
        String(size + 1),
        62,
        size + 1,
      ]);
      expect(arrived.subarray(1).equals(body)).toBe(true);
    });
  });

  describe('changes', () => {
    test('what the upstream gets', async () => {
      gateway.run({
        access: async ({ service }) => {
          const { request } = service;
          await request.setMethod('PUT');
          await request.setPath('/base/other');
          await request.setQuery({ b: ['1', '2'], a: true, c: 'x y' });
          await request.setHeader('x-one', '1');
          await request.addHeader('x-two', '1');
          await request.addHeader('x-two', '2');
          await request.clearHeader('x-gone');
          await request.setBody({ deep: { list: [1] } }, 'application/json');
        },
      });
      const answer = await post('old', { 'x-gone': 'yes', 'content-type': 'text/plain' });
      expect(answer.status).toBe(200);
      const { method, url, headers, body } = upstreamRequest();
      expect([method, url]).toEqual(['PUT', '/base/other?a&b=1&b=2&c=x%20y']);
      expect(headers).toMatchObject({ 'x-one': '1', 'x-two': '1, 2', 'content-type': 'application/json' });
      expect(headers).not.toHaveProperty('x-gone');
      expect(JSON.parse(body.toString())).toEqual({ deep: { list: [1] } });
    });

    test('a query argument, and leaves the others as they are', async () => {
      gateway.run({ access: (kong) => kong.service.request.clearQueryArg('b') });
      await get('/?a=1&b=2&c&b=3');
      expect(upstreamRequest().url).toMatch(/\?a=1&c=?$/);
    });

    test('the response, in the order of the program', async () => {
      gateway.run({
        rewrite: (kong) => kong.response.setHeader('x-r', 'rewrite'),
        access: async (kong) => {
          await kong.response.setHeader('x-a', '1');
          await kong.response.setHeader('x-a', '2');
          await kong.response.addHeader('x-a', '3');
        },
        response: async (kong) => {
          const [status, type, own] = await Promise.all([
            kong.service.response.getStatus(),
            kong.service.response.getHeader('content-type'),
            kong.service.response.getBody(),
          ]);
          await kong.response.setStatus(202);
          await kong.response.setHeaders({ 'x-seen': `${status} ${type}`, 'x-m': (own as { m: string }).m });
          await kong.response.clearHeader('x-upstream');
        },
      });
      const answer = await get();
      expect(answer.status).toBe(202);
      expect(answer.headers).toMatchObject({
        'x-r': 'rewrite',
        'x-seen': '200 application/json',
        'x-m': 'GET',
      });
      expect(answer.rawHeaders.filter((_v, at, all) => all[at - 1]?.toLowerCase() === 'x-a')).toEqual([
        '2',
        '3',
      ]);
      expect(answer.headers).not.toHaveProperty('x-upstream');
    });
  });

  test('hands values from phase to phase, and logs', async () => {
    const value = { text: 'ü', list: [1, 2.5, 'x', true], deep: { more: 'y' } };
    let seen: unknown;
    gateway.run({
      access: async (kong) => kong.ctx.shared.set('value', value),
      log: async (kong) => {
        const [shared, record] = await Promise.all([kong.ctx.shared.get('value'), kong.log.serialize()]);
        seen = [shared, record.request?.method, record.client_ip];
        await kong.log.warn('logged', { a: 1 }, 5);
      },
    });
    await get();
    await gateway.logged();
    expect(seen).toEqual([value, 'GET', '127.0.0.1']);
    await expect
      .poll(() => gateway.logs.some((line) => line.startsWith('warn') && line.includes('logged{"a":1}5')))
      .toBe(true);
  });

  test('answers 100 requests at once, each with its own values', async () => {
    gateway.run({
      access: async (kong) => {
        const [who, path] = await Promise.all([kong.request.getHeader('x-who'), kong.request.getPath()]);
        await kong.ctx.shared.set('who', `${who} ${path}`);
      },
      response: async (kong) =>
        kong.response.setHeader('x-who', (await kong.ctx.shared.get('who')) as string),
    });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => get(`/${n}`, { 'x-who': `w${n}` })),
    );
    expect(answers.map((answer) => answer.headers['x-who'])).toEqual(answers.map((_a, n) => `w${n} /${n}`));
  });
});

describe.each(['protobuf', 'msgpack'] as const)('a plugin with onError: continue over %s', (protocol) => {
  let gateway: RealGateway;
  beforeAll(async () => {
    gateway = await realGateway(`lenient-${protocol}`, simpleConfig(`lenient-${protocol}`));
  });
  afterAll(async () => gateway.close());

  test.each(['rewrite', 'access', 'response'] as const)(
    'lets the request through when %s fails',
    async (phase) => {
      gateway.run({
        [phase]: async (kong: KongApi) => {
          await kong.response.setHeader('x-before', 'yes');
          throw new Error('boom');
        },
      });
      const answer = await send(gateway.sandbox.proxyUrl ?? '');
      expect([answer.status, answer.headers['x-before']]).toEqual([200, 'yes']);
      expect(gateway.lines).toMatchObject([{ level: 'error', fields: { phase } }]);
    },
  );
});

describe.each(['protobuf', 'msgpack'] as const)('a plugin that takes too long over %s', (protocol) => {
  let gateway: RealGateway;
  beforeAll(async () => {
    gateway = await realGateway(`hasty-${protocol}`, simpleConfig(`hasty-${protocol}`));
  });
  afterAll(async () => gateway.close());

  test.each(['rewrite', 'access', 'response'] as const)(
    'in %s gives a 500, and its later calls go nowhere',
    async (phase) => {
      let go = () => {};
      let late: unknown;
      let done = () => {};
      const released = new Promise<void>((resolve) => (go = resolve));
      const ended = new Promise<void>((resolve) => (done = resolve));
      gateway.run({
        [phase]: async (kong: KongApi) => {
          await released;
          late = await kong.response.setHeader('x-late', '1').catch((error: unknown) => error);
          done();
        },
      });
      const answer = await send(gateway.sandbox.proxyUrl ?? '');
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        500,
        { message: 'An unexpected error occurred' },
      ]);
      expect(gateway.lines).toMatchObject([{ level: 'error', fields: { code: 'PHASE_TIMEOUT', phase } }]);
      go();
      await ended;
      expect(late).toMatchObject({ code: 'PDK_EVENT_ENDED' });
    },
  );
});

/** One request as bytes, and all that comes back. */
function raw(gateway: RealGateway, request: Buffer): Promise<Buffer> {
  const { port } = new URL(gateway.sandbox.proxyUrl ?? '');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      resolve(Buffer.concat(chunks));
      socket.end();
    });
    socket.write(request);
  });
}
