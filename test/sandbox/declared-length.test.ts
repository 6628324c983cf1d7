import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { rawExchange } from './support/raw-upstream.ts';
import type { Call } from './support/scripted-server.ts';
import type { Upstream } from './support/upstream.ts';

/**
 * What becomes of a request whose Content-Length a plugin sets or clears: nginx has one number for it, which says how
 * much of the body is read, and what the upstream is told (ngx_lua's ngx_http_set_content_length_header).
 */
let gateway: TestGateway;
let upstream: Collector;
afterEach(async () => gateway.close());

interface Collector extends Upstream {
  /** What came on each connection. */
  readonly received: string[];
}

/** An upstream that answers each head at once, and keeps every byte. */
async function collector(): Promise<Collector> {
  const sockets: Socket[] = [];
  const received: string[] = [];
  const server = net.createServer((socket) => {
    const at = sockets.push(socket) - 1;
    received[at] = '';
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (piece: string) => {
      received[at] += piece;
      if (piece.includes('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests: [],
    received,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const set = (length: string): Call => ['kong.service.request.set_header', 'content-length', length];
const clear: Call = ['kong.service.request.clear_header', 'Content-Length'];
const read: Call = ['kong.request.get_raw_body'];
const write = (body: string): Call => ['kong.service.request.set_raw_body', body];

async function start(
  access: readonly Call[],
  phases: readonly string[] = ['access', 'log'],
): Promise<string> {
  upstream = await collector();
  gateway = await testGateway({ upstream, protocol: 'msgpack', phases, script: { access } });
  return gateway.sandbox.proxyUrl ?? '';
}

const sized = 'POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
const chunked =
  'POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
const answered = /\r\n\r\nok/;
const badRequest = /HTTP\/1\.1 400 Bad Request/;

/** The length that the upstream was told, and the body that it got. */
async function seen(): Promise<[length: string | undefined, body: string | undefined]> {
  await expect.poll(() => upstream.received[0] ?? '').toContain('\r\n\r\n');
  const [head = '', body] = (upstream.received[0] ?? '').split('\r\n\r\n');
  return [/^content-length: (.*)$/im.exec(head)?.[1], body];
}

describe('of a body that nobody has read', () => {
  test('a shorter length takes so much of it, and the rest is read as the next request', async () => {
    const url = await start([set('3')]);
    const text = await rawExchange(url, sized);
    expect(await seen()).toEqual(['3', 'hel']);
    // `lo` is not a request line.
    expect(text).toMatch(answered);
    expect(text).toMatch(badRequest);
  });

  test('what stands behind the shorter length can be a request of its own', async () => {
    const url = await start([set('3')]);
    // The plugin declares a length for this one, too.
    const hidden = 'GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nend';
    await rawExchange(
      url,
      `POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: ${String(3 + hidden.length)}\r\n\r\nhel${hidden}`,
    );
    expect(upstream.received.join('')).toMatch(/POST \/base\/first [^]*GET \/base\/second /);
  });

  test('a longer length waits for more of it', async () => {
    const url = await start([set('9')]);
    const { port } = new URL(url);
    const socket = net.connect(Number(port), '127.0.0.1');
    const access = gateway.server.ended('access');
    socket.write(sized);
    await access;
    socket.write('more');
    expect(await seen()).toEqual(['9', 'hellomore']);
    socket.destroy();
  });

  test('a length for a request without a body waits for one', async () => {
    const url = await start([set('4')]);
    const { port } = new URL(url);
    const socket = net.connect(Number(port), '127.0.0.1');
    const access = gateway.server.ended('access');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await access;
    socket.write('more');
    expect(await seen()).toEqual(['4', 'more']);
    socket.destroy();
  });

  test.each([
    ['0', set('0'), '0'],
    ['none', clear, undefined],
  ])('a length of %s leaves all of it to the next request', async (_what, call, length) => {
    const url = await start([call]);
    const text = await rawExchange(url, sized);
    expect(await seen()).toEqual([length, '']);
    expect(text).toMatch(badRequest);
  });

  test('a plugin gets as much of it as was declared', async () => {
    const url = await start([set('3'), read]);
    await rawExchange(url, sized);
    expect(gateway.server.calls.find(({ method }) => method === read[0])?.value).toEqual(Buffer.from('hel'));
  });

  test('an exit leaves what is behind the length to the next request, too', async () => {
    const url = await start([set('3'), ['kong.response.exit', 200, 'bye']]);
    expect(await rawExchange(url, sized)).toMatch(/\r\n\r\nbyeHTTP\/1\.1 400 Bad Request/);
  });

  test('the length is the captured request’s where there is a response phase', async () => {
    const url = await start([set('3')], ['access', 'response']);
    await rawExchange(url, sized, answered);
    expect(await seen()).toEqual(['3', 'hel']);
  });
});

describe('of a body that was read or set', () => {
  test.each([
    ['shorter', set('3'), '3'],
    ['longer', set('9'), '9'],
    ['cleared', clear, undefined],
  ])(
    'a length that is %s is what the upstream is told; it gets all of the body',
    async (_what, call, length) => {
      const url = await start([read, call]);
      await rawExchange(url, sized, answered);
      expect(await seen()).toEqual([length, 'hello']);
    },
  );

  test('a length in characters cuts a body with bytes beyond ASCII', async () => {
    const url = await start([write('h\u00e4llo'), set('5')]);
    await rawExchange(url, sized, answered);
    expect(await seen()).toEqual(['5', 'h\u00c3\u00a4llo']);
  });

  test('setting a body reads what was declared until then, and declares its own length', async () => {
    const url = await start([set('3'), write('abcdef')]);
    expect(await rawExchange(url, sized)).toMatch(badRequest);
    expect(await seen()).toEqual(['6', 'abcdef']);
  });

  test('chunks have their own length where they are read behind the setter, not before it', async () => {
    const before = await start([set('3')]);
    await rawExchange(before, chunked, answered);
    expect(await seen()).toEqual(['5', 'hello']);
    await gateway.close();
    const behind = await start([read, set('3')]);
    await rawExchange(behind, chunked, answered);
    expect(await seen()).toEqual(['3', 'hello']);
  });
});

test('a length that is more than nginx can count is refused', async () => {
  const url = await start([set('9223372036854775808')]);
  expect(await rawExchange(url, sized, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 500 /);
});
