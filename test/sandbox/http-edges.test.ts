import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testGateway, type TestGateway } from './support/gateway.ts';

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

const badRequest = /^HTTP\/1\.1 400 Bad Request\r\n[^]*Connection: close\r\n[^]*"message":"Bad request"/;

describe('requests that no route may see', () => {
  test.each([
    ['without a Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['with two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['that is no HTTP', '\x16\x03\x01 nothing\r\n\r\n'],
  ])('a request %s gets 400 and the connection ends', async (_name, text) => {
    const before = gateway.upstream.requests.length;
    expect(await raw(text)).toMatch(badRequest);
    expect(gateway.upstream.requests).toHaveLength(before);
  });

  test.each([
    ['request line', 414, `GET /${'a'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`, 'URI too long'],
    ['request line above all buffers', 414, `GET /${'a'.repeat(40_000)} HTTP/1.1\r\n`, 'URI too long'],
    // 494 is nginx's own number; Kong's error handler makes 400 of it.
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
    expect(answer).toContain(says);
    expect(gateway.upstream.requests).toHaveLength(before);
  });

  test('a request line of exactly 8 kB reaches its route', async () => {
    const path = `/${'a'.repeat(8192 - 'GET / HTTP/1.1\r\n'.length)}`;
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    // The upstream's own limit may refuse it.
    expect(answer).toMatch(/\r\nVia: /);
  });

  test('CONNECT gets 405 and the connection ends', async () => {
    const answer = await raw('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n[^]*"message":"Method not allowed"/);
  });

  test('a WebSocket is refused with a text that says so', async () => {
    const before = gateway.upstream.requests.length;
    const answer = await raw(
      'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n' +
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
