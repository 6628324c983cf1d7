import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { request as httpRequest, createServer as createHttpServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpTarget } from '../../src/event-hooks/delivery/http-target.ts';
import { TargetGuard } from '../../src/event-hooks/delivery/target-guard.ts';
import { PassThrough } from '../../src/kong-watch/front/pass-through.ts';
import { bounds } from './support/rounds.ts';

/** Answers each request with the given bytes; the first `good` ones of a connection with 200. */
async function peer(answer: string, good = 0): Promise<number> {
  const server = createServer((socket) => {
    let left = good;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const requests = chunk.toString('latin1').split(/(?:POST|GET|PUT) \//).length - 1;
      for (let n = 0; n < requests; n += 1) {
        if (left-- > 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.end(Buffer.from(answer, 'latin1'));
      }
    });
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers each connection with the beginning and then the rest again and again, without an end. */
async function endlessPeer(beginning: string, rest: string): Promise<number> {
  const server = createServer((socket) => {
    const timer = setInterval(() => socket.write(rest), 20);
    socket.on('error', () => undefined).on('close', () => clearInterval(timer));
    socket.once('data', () => socket.write(beginning));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const endless: [string, string, string][] = [
  ['100 Continue', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['early hints', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
  ['empty lines', '', '\r\n\r\n'],
  ['a status line', 'HTTP/1.1 200 ', 'O'.repeat(65_536)],
  ['a header', 'HTTP/1.1 200 OK\r\nX-A: ', 'a'.repeat(65_536)],
  ['the name of a header', 'HTTP/1.1 200 OK\r\nX-', 'a'.repeat(65_536)],
  ['headers', 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'.repeat(8000)],
  ['a line of the version', 'HTTP/', '1'.repeat(65_536)],
  ['zeros before the size of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '00'],
];

/** Whether an answer has begun: its head is whole. */
const begun = (beginning: string): boolean => beginning.endsWith('\r\n\r\n');

/** Whatever reaches the process while a test runs. */
function uncaught(): unknown[] {
  const seen: unknown[] = [];
  const keep = (error: unknown): void => void seen.push(error);
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', keep).on('unhandledRejection', keep);
  onTestFinished(() => {
    process.off('uncaughtException', keep).off('unhandledRejection', keep);
    for (const one of before) process.on('uncaughtException', one);
  });
  return seen;
}
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** 20 MB of zeros in 20 KB. */
const bomb = gzipSync(Buffer.alloc(20_000_000)).toString('latin1');

const answers: [string, string][] = [
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  ],
  ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok'],
  ['a reason of other bytes', 'HTTP/1.1 200 \xff\xfe\r\nContent-Length: 2\r\n\r\nok'],
  ['status 99', 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok'],
  ['status 999', 'HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok'],
  ['status 000', 'HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nok'],
  ['5,000 headers', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(5000)}\r\n`],
  [
    'a bomb of gzip',
    `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${String(bomb.length)}\r\n\r\n${bomb}`,
  ],
  ['a header of 1 MB', `HTTP/1.1 200 OK\r\na: ${'b'.repeat(1_000_000)}\r\n\r\n`],
  [
    'headers named as members of objects',
    'HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\nContent-Length: 0\r\n\r\n',
  ],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok'],
  ['a chunk that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok'],
  [
    'trailers with control characters',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: \x01\r\n\r\n',
  ],
  [
    'a Keep-Alive that is none',
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=-5, max=x\r\nContent-Length: 0\r\n\r\n',
  ],
  [
    'a dates as Retry-After',
    'HTTP/1.1 503 X\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n',
  ],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01'],
  [
    'two answers at once',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  ],
  ['a 204 with a body', 'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello'],
  ['a header value with control characters', 'HTTP/1.1 200 OK\r\na: \x01\x7f\r\nContent-Length: 0\r\n\r\n'],
];

function target(port: number, scheme = 'http'): HttpTarget {
  const made = new HttpTarget(`${scheme}://127.0.0.1:${String(port)}`, {
    guard: new TargetGuard({ allowLoopback: true }),
    sslVerify: true,
    timeoutMs: 500,
    maxResponseBytes: 100_000,
    keepResponseBytes: 1000,
    pipelining: 8,
  });
  onTestFinished(() => made.destroy());
  return made;
}
const send = (to: HttpTarget): ReturnType<HttpTarget['send']> =>
  to.send({ method: 'POST', path: '/', headers: [], body: '{}' });

describe('what a target answers ends with its request', () => {
  it.each(answers)('%s, alone and while others are on the connection', async (_what, answer) => {
    const thrown = uncaught();
    for (const good of [0, 1, 3]) {
      const to = target(await peer(answer, good));
      const all = await Promise.all(Array.from({ length: 12 }, () => send(to)));
      expect(all).toHaveLength(12);
    }
    await settle();
    expect(thrown).toEqual([]);
  });

  it('what has no end: status lines, headers, informational answers, empty lines, sizes of chunks', async () => {
    const answers = endless.map(async ([what, beginning, rest]) => {
      const { status, error } = await send(target(await endlessPeer(beginning, rest)));
      return [what, status, error === null];
    });
    expect(await Promise.all(answers)).toEqual(
      endless.map(([what, beginning]) => [what, begun(beginning) ? 200 : null, false]),
    );
  });

  it.each([
    ['plain HTTP', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['an alert', '\x15\x03\x03\x00\x02\x02\x28'],
    ['a greeting that breaks off', '\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03'],
    ['a record of the wrong kind', '\x17\x03\x03\x00\x05hello'],
    ['a record longer than one may be', `\x16\x03\x03\xff\xff${'a'.repeat(65_535)}`],
    ['nothing', ''],
  ])('in place of a handshake of TLS: %s', async (_what, answer) => {
    const thrown = uncaught();
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(Buffer.from(answer, 'latin1')));
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const to = target((server.address() as AddressInfo).port, 'https');
    const all = await Promise.all([send(to), send(to), send(to)]);
    for (const one of all) expect([one.status, one.error === null]).toEqual([null, false]);
    await settle();
    expect(thrown).toEqual([]);
  });

  it('whatever bytes they are', async () => {
    const thrown = uncaught();
    const bytes = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 60 }),
      fc
        .tuple(fc.constantFrom(...answers.map(([, text]) => text.slice(0, 300))), fc.nat(299), fc.nat(255))
        .map(([text, at, byte]) => text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(2), async (answer, good) => {
        const to = target(await peer(answer, good));
        await Promise.all([send(to), send(to), send(to), send(to)]);
      }),
      bounds(40),
    );
    await settle();
    expect(thrown).toEqual([]);
  });
});

describe('what Kong answers through the front ends with its request', () => {
  async function front(port: number): Promise<number> {
    const pass = new PassThrough({
      target: new URL(`http://127.0.0.1:${String(port)}`),
      lendLoginTo: null,
      onWrite: () => undefined,
      timeoutMs: 500,
    });
    const server = createHttpServer((request, response) => {
      pass.handle(request, response);
    });
    onTestFinished(() => {
      pass.close();
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
  const ask = (port: number, method: string): Promise<number | string> =>
    new Promise((resolve) => {
      const asked = httpRequest({ host: '127.0.0.1', port, method, path: '/services' }, (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode ?? 0);
        });
        response.on('error', () => {
          resolve('broken off');
        });
      });
      asked.on('error', () => {
        resolve('broken off');
      });
      asked.end(method === 'PUT' ? '{}' : undefined);
    });

  it.each(answers)('%s', async (_what, answer) => {
    const thrown = uncaught();
    const port = await front(await peer(answer));
    for (const method of ['GET', 'PUT']) await ask(port, method);
    await settle();
    expect(thrown).toEqual([]);
  });

  it('what has no end: status lines, headers, informational answers, empty lines, sizes of chunks', async () => {
    const answers = endless.map(async ([what, beginning, rest]) => {
      return [what, await ask(await front(await endlessPeer(beginning, rest)), 'GET')];
    });
    expect(await Promise.all(answers)).toEqual(
      endless.map(([what, beginning]) => [what, begun(beginning) ? 'broken off' : 502]),
    );
  });

  it('a reason that cannot be handed on is left out, the rest is not', async () => {
    const port = await front(await peer('HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok'));
    expect(await ask(port, 'GET')).toBe(200);
  });
});
