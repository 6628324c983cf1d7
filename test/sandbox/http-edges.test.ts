import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';

/** What HTTP allows and Node's server decides by itself otherwise: answers are nginx's. */
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await testGateway({ phases: ['access', 'log'] });
});

afterAll(async () => gateway.close());

/** Sends bytes and reads until the gateway closes the connection, or until `enough`. */
function raw(text: string, enough?: RegExp): Promise<string> {
  const url = new URL(gateway.sandbox.proxyUrl ?? '');
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(url.port), url.hostname);
    let answer = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      answer += piece;
      if (enough?.test(answer) === true) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
    socket.write(text);
  });
}

const badRequest =
  /^HTTP\/1\.1 400 Bad Request\r\n[^]*Connection: close\r\n[^]*\r\n\r\nBad request\nrequest_id: [0-9a-f]{32}\n$/;

describe('requests that no route may see', () => {
  test.each([
    ['without a Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['with two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['that is not HTTP', '\x16\x03\x01 nothing\r\n\r\n'],
    ['that is not HTTP and has no line end', '\x16\x03\x01 nothing'],
    ['of HTTP/0.9', 'GET /\r\n'],
    ['for *', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with a triplet that is none', 'GET /p/%zz HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with half a triplet', 'GET /p/% HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with an encoded zero byte', 'GET /p/%00 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['that climbs above the root', 'GET /../p HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with a space in its Host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['with a path in its Host', 'GET / HTTP/1.1\r\nHost: a.test/\r\n\r\n'],
    ['with a user in its Host', 'GET / HTTP/1.1\r\nHost: me@a.test\r\n\r\n'],
    ['with an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['with a folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n'],
    ['with a space before a colon', 'GET / HTTP/1.1\r\nHost: a\r\nX-A : 1\r\n\r\n'],
    ['with a zero byte in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\0\r\n\r\n'],
    ['with two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
    ['with a length that is not a number', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
    [
      'with a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['of HTTP/1.0 with chunks', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['to be a tunnel', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
  ])('a request %s gets 400 and the connection ends', async (_name, text) => {
    const before = gateway.upstream.requests.length;
    expect(await raw(text)).toMatch(badRequest);
    expect(gateway.upstream.requests).toHaveLength(before);
  });

  test.each([
    ['request line', 414, `GET /${'a'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`, 'URI too long'],
    ['request line above all buffers', 414, `GET /${'a'.repeat(40_000)} HTTP/1.1\r\n`, 'URI too long'],
    [
      'header line',
      400,
      `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'a'.repeat(8192)}\r\n\r\n`,
      'Request header or cookie too large',
    ],
  ])('a %s above 8 kB gets %i and the connection ends', async (_name, status, text, says) => {
    const before = gateway.upstream.requests.length;
    const answer = await raw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
    expect(answer).toMatch(/\r\nServer: kong\/[\d.]+\r\n/);
    expect(answer).toMatch(/\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
    expect(answer).toContain(`\r\n\r\n${says}\nrequest_id: `);
    expect(gateway.upstream.requests).toHaveLength(before);
  });

  test('a request line of exactly 8 kB reaches its route', async () => {
    const path = `/${'a'.repeat(8192 - 'GET / HTTP/1.1\r\n'.length)}`;
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    // The upstream's own limit may refuse it.
    expect(answer).toMatch(/\r\nVia: /);
  });

  test('headers above all of nginx’s buffers get 400', async () => {
    const lines = Array.from({ length: 5 }, (_, n) => `X-${String(n)}: ${'a'.repeat(7000)}\r\n`).join('');
    const answer = await raw(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nRequest header or cookie too large\n/);
  });

  test('the error body is of the type that the request accepts, or that it sends', async () => {
    const json = /\r\nContent-Type: application\/json; charset=utf-8\r\n[^]*"message":"Bad request"/;
    expect(await raw('GET / HTTP/1.1\r\nAccept: application/json\r\n\r\n')).toMatch(json);
    expect(await raw('GET / HTTP/1.1\r\nContent-Type: application/json\r\n\r\n')).toMatch(json);
    expect(await raw('GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n')).toMatch(/<p>Bad request\.<\/p>/);
  });

  test.each([
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['CONNECT with a URL', 'CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%s gets 405 and the connection ends', async (_name, text) => {
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 405 Not Allowed\r\n[^]*\r\n\r\nMethod not allowed\n/);
  });

  test.each([
    ['HTTP/2.0', 505, 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'HTTP Version Not Supported'],
    [
      'another transfer encoding',
      501,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'Not Implemented',
    ],
    [
      'the transfer encoding identity',
      501,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n',
      'Not Implemented',
    ],
  ])('%s gets nginx’s own page for %i', async (_name, status, text, title) => {
    const answer = await raw(text);
    expect(answer).toMatch(
      new RegExp(`^HTTP/1\\.1 ${String(status)} ${title}\r\n[^]*\r\nConnection: close\r\n`),
    );
    expect(answer).toContain(
      `<center><h1>${String(status)} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
    );
    expect(answer).toMatch(/\r\nContent-Type: text\/html; charset=UTF-8\r\n/);
  });

  test.each([
    ['', 'Connection: keep-alive, Upgrade\r\n'],
    [' that only has Upgrade, as Kong takes it for one,', ''],
  ])('a WebSocket%s is refused with a text that says so', async (_how, connection) => {
    const before = gateway.upstream.requests.length;
    const answer = await raw(
      `GET /ws HTTP/1.1\r\nHost: a\r\n${connection}Upgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n',
      /\n\}$/,
    );
    expect(answer).toMatch(
      /^HTTP\/1\.1 501 [^]*"message":"The sandbox does not proxy WebSocket connections"/,
    );
    expect(gateway.upstream.requests).toHaveLength(before);
    expect(gateway.logs.join('\n')).toMatch(/WebSocket/);
  });
});

describe('what goes through', () => {
  test('another upgrade is left out, and the request is an ordinary one', async () => {
    const answer = await raw(
      'GET /h2 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(gateway.upstream.requests.at(-1)?.headers).not.toHaveProperty('upgrade');
  });

  test('an unknown Expect', async () => {
    const answer = await raw(
      'POST /e HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('a method without a body reaches the upstream without the header of one', async () => {
    await raw('PURGE /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const { method, headers } = gateway.upstream.requests.at(-1) ?? { headers: {} };
    expect(method).toBe('PURGE');
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(headers).not.toHaveProperty('content-length');
  });
});

describe('odd headers and bodies', () => {
  const seen = async (lines: string): Promise<Record<string, unknown>> => {
    await raw(`GET /odd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`);
    return gateway.upstream.requests.at(-1)?.headers ?? {};
  };

  test('names with a dot or another sign, and lines without a colon, are dropped', async () => {
    const headers = await seen('X.Foo: 1\r\nBad@Name: 1\r\nNoColon\r\nX-Good: 1\r\nx_under: 1\r\n');
    expect(headers).toMatchObject({ 'x-good': '1', x_under: '1' });
    for (const name of ['x.foo', 'bad@name', 'nocolon']) expect(headers).not.toHaveProperty([name]);
  });

  test('spaces around a value go, tabs stay', async () => {
    await seen('X-Tab: \ta\t\r\nX-Space:   b c  \r\n');
    const { rawHeaders = [] } = gateway.upstream.requests.at(-1) ?? {};
    expect(rawHeaders[rawHeaders.indexOf('X-Space') + 1]).toBe('b c');
    // Node, which is the upstream here, trims the tabs; the log record has them.
    expect(rawHeaders).toContain('X-Tab');
  });

  test('header lines may end with a line feed alone', async () => {
    const answer = await raw('GET /lf HTTP/1.1\nHost: a\nConnection: close\n\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test.each([
    ['as they should be', '3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n'],
    ['with bare line feeds', '3\none\n3\ntwo\n0\n\n'],
    ['with extensions and trailers', '3;a=b\r\none\r\n3 \r\ntwo\r\n0\r\nX-T: 1\r\n\r\n'],
  ])('chunks %s go to the upstream as a body with a length', async (_name, chunks) => {
    const answer = await raw(
      `POST /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const { headers, body } = gateway.upstream.requests.at(-1) ?? { headers: {} };
    expect(body?.toString()).toBe('onetwo');
    expect(headers).toMatchObject({ 'content-length': '6' });
    expect(headers).not.toHaveProperty('transfer-encoding');
  });

  test.each([
    ['a size that is none', 'xyz\r\n'],
    ['no size', '\r\none\r\n'],
    ['a negative size', '-1\r\n'],
  ])('chunks with %s get 400 with the headers of a proxied answer', async (_name, chunks) => {
    const answer = await raw(`POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nBad request\n/);
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
    expect(answer).toMatch(/\r\nX-Kong-Proxy-Latency: /);
  });

  test('requests on one connection are answered in their order, whatever of their bodies is read', async () => {
    const answer = await raw(
      'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none' +
        'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n' +
        '\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer.match(/"u":"[^"]*"/g)).toEqual(['"u":"/base/1"', '"u":"/base/2"', '"u":"/base/3"']);
  });

  test('a client that has ended its half of the connection gets its answer', async () => {
    const url = new URL(gateway.sandbox.proxyUrl ?? '');
    const socket = net.connect({ port: Number(url.port), host: url.hostname, allowHalfOpen: true });
    socket.end('GET / HTTP/1.1\r\n\r\n');
    const pieces: Buffer[] = [];
    for await (const piece of socket as AsyncIterable<Buffer>) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a client of HTTP/1.0', () => {
  test('gets its answer and the end of the connection', async () => {
    const answer = await raw('GET /old HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nConnection: close\r\n/);
  });

  test('keeps the connection where it asks for that', async () => {
    const once = 'GET /old HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
    const answer = await raw(once + 'GET /old HTTP/1.0\r\nHost: a\r\n\r\n');
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(answer.match(/Connection: (keep-alive|close)/gi)).toEqual([
      'Connection: keep-alive',
      'Connection: close',
    ]);
  });

  test('hears the end of an answer of unknown length from the end of the connection', async () => {
    const answer = await raw('GET /nothing HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n');
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
  });
});
