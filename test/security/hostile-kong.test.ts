import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { KongTsError } from '../../src/base/errors.ts';
import { KongAdmin } from '../../src/kong-admin/client.ts';
import { selfSigned } from '../../src/sandbox/gateway/self-signed.ts';
import { bounds } from './support/rounds.ts';

/** What a client of Kong gets for an answer. */
interface Got {
  readonly status: number | null;
  readonly error: string | null;
}

async function listen(server: ReturnType<typeof createServer>, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Stands in for Kong: what it does with a connection on which a request came. */
const kong = (onRequest: (socket: Socket) => void): Promise<number> =>
  listen(
    createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => onRequest(socket));
    }),
  );

/** For an answer that has to come, in milliseconds. */
const patient = 10_000;

async function ask(url: string, timeoutMs = 400): Promise<Got> {
  const client = new KongAdmin({ url, timeoutMs, maxBytes: 200_000 });
  try {
    const { status } = await client.request('GET', '/services');
    return { status, error: null };
  } catch (error) {
    // Whatever comes is an error of ours, which says what was asked.
    expect(KongTsError.is(error), String(error)).toBe(true);
    const { message } = error as KongTsError;
    expect(message).toContain('/services');
    expect(message.length).toBeLessThan(2000);
    return { status: null, error: message };
  }
}

const answer = (text: string) => (socket: Socket) => void socket.end(Buffer.from(text, 'latin1'));
/** The beginning, then the rest again and again. */
const endless = (beginning: string, rest: string) => (socket: Socket) => {
  socket.write(beginning, 'latin1');
  const timer = setInterval(() => socket.write(rest, 'latin1'), 10);
  socket.on('close', () => clearInterval(timer));
};
const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const long = 'HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n';
const sized = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${String(Buffer.byteLength(body, 'latin1'))}\r\n\r\n${body}`;

const deep = (depth: number): string =>
  '{"a":['.repeat(depth / 2) + '[]'.repeat(depth % 2) + ']}'.repeat(depth / 2);

describe('what Kong, or who stands in its place, answers to the client of its Admin API', () => {
  const wrong: [what: string, onRequest: (socket: Socket) => void, said: RegExp][] = [
    [
      'a body without an end',
      endless('HTTP/1.1 200 OK\r\n\r\n[', ' '.repeat(65_536)),
      /larger than 200000 bytes/,
    ],
    [
      'chunks without an end',
      endless(chunked, `10000\r\n${' '.repeat(65_536)}\r\n`),
      /larger than 200000 bytes/,
    ],
    ['a length beyond what is read', endless(long, ' '.repeat(65_536)), /larger than/],
    ['one byte at a time', endless(long, ' '), /within 400 ms/],
    ['100 Continue without an end', endless('', 'HTTP/1.1 100 Continue\r\n\r\n'), /within 400 ms/],
    [
      'early hints without an end',
      endless('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
      /within 400 ms/,
    ],
    ['a header without an end', endless('HTTP/1.1 200 OK\r\nX: ', 'a'.repeat(8192)), /Headers Overflow/i],
    [
      'headers without an end',
      endless('HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'.repeat(500)),
      /Headers Overflow|within/i,
    ],
    ['a reason without an end', endless('HTTP/1.1 200 ', 'O'.repeat(8192)), /within 400 ms/],
    ['zeros before a size', endless(chunked, '00'), /within 400 ms/],
    ['extensions of a chunk', endless(`${chunked}5;`, 'a'.repeat(8192)), /within 400 ms/],
    [
      'trailers without an end',
      endless(`${chunked}0\r\n`, 'X-A: b\r\n'.repeat(500)),
      /Overflow|within 400 ms/,
    ],
    ['nothing', () => undefined, /within 400 ms/],
    ['the end', (socket) => void socket.end(), /other side closed/],
    ['a reset', (socket) => void socket.resetAndDestroy(), /ECONNRESET|closed/],
    ['half a body', answer('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":'), /closed|length/i],
    ['half a chunk', answer(`${chunked}10\r\n{"a":`), /closed|EOF|Response does not match/i],
    [
      'a body longer than its length',
      answer('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{"a":1}'),
      /not JSON/,
    ],
    [
      'two lengths',
      answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'),
      /Content-Length/i,
    ],
    [
      'length and chunks',
      answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
      /length does not match|can't be present/,
    ],
    ['a status with control bytes', answer('HTTP/1.1 2\x0100 OK\r\nContent-Length: 2\r\n\r\n{}'), /status/i],
    [
      'a header with control bytes',
      answer('HTTP/1.1 200 OK\r\nX: a\x01\r\nContent-Length: 2\r\n\r\n{}'),
      /header/i,
    ],
    ['a bomb of gzip', answer(sized(gzipSync(Buffer.alloc(20_000_000)).toString('latin1'))), /not JSON/],
    ['JSON that is nested deeper than Kong writes', answer(sized(deep(1001))), /nested deeper than 1000/],
    ['lists within each other, and no end', answer(sized('['.repeat(150_000))), /nested deeper than 1000/],
    ['no JSON', answer(sized('<html>')), /status 200 is not JSON/],
    ['bytes that are not UTF-8', answer(sized('"\xff\xfe')), /not JSON/],
    [
      'an upgrade',
      answer('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      /upgrade/,
    ],
    ['the greeting of TLS', answer('\x16\x03\x01\x02\x00\x01'), /HTTP/],
    ['HTTP/2', answer('\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80'), /HTTP/],
  ];

  it('is an error that says what is wrong, in time and without all of the bytes', async () => {
    const all = await Promise.all(
      wrong.map(async ([what, onRequest, said]) => {
        const limit = said.source.includes('within') ? 400 : patient;
        const { error } = await ask(`http://127.0.0.1:${String(await kong(onRequest))}`, limit);
        return [what, error] as const;
      }),
    );
    const saidBy = new Map(wrong.map(([what, , said]) => [what, said]));
    for (const [what, error] of all) expect(error, what).toMatch(saidBy.get(what) ?? /^$/);
  });

  it('is given up where its pages have no entities and no end', async () => {
    let pages = 0;
    const port = await kong((socket) => {
      pages += 1;
      answer(sized(JSON.stringify({ data: [], offset: `o${String(pages)}` })))(socket);
    });
    const client = new KongAdmin({ url: `http://127.0.0.1:${String(port)}` });
    await expect(client.list('/services')).rejects.toThrow(/empty page after page/);
    expect(pages).toBeLessThan(200);
  });

  it('is an answer where HTTP has it so', async () => {
    const answers = [
      `HTTP/1.1 100 Continue\r\n\r\n${sized('{}')}`,
      `HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\nHTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\n${sized('{}')}`,
      'HTTP/1.0 200 OK\r\n\r\n{}',
      'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}',
      sized(deep(1000)),
      'HTTP/1.1 200 O\xffK\r\nContent-Length: 2\r\n\r\n{}',
      `${chunked}2;a=b\r\n{}\r\n0\r\nX-A: b\r\n\r\n`,
      'HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\nContent-Length: 2\r\n\r\n{}',
    ];
    for (const text of answers)
      expect(await ask(`http://127.0.0.1:${String(await kong(answer(text)))}`, patient), text).toEqual({
        status: 200,
        error: null,
      });
  });

  it('whatever bytes they are', async () => {
    const bytes = fc.tuple(
      fc.constantFrom(
        sized('{"data":[]}'),
        `${chunked}2\r\n{}\r\n0\r\n\r\n`,
        'HTTP/1.1 204 No Content\r\n\r\n',
      ),
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async ([text, changes]) => {
        const mutated = changes.reduce(
          (now, [at, byte]) => now.slice(0, at) + String.fromCharCode(byte) + now.slice(at + 1),
          text,
        );
        await ask(`http://127.0.0.1:${String(await kong(answer(mutated)))}`, 2000);
      }),
      bounds(40),
    );
  });
});

describe('a Kong over TLS that is not the one that was meant', () => {
  it.each<[string, () => Promise<number>, RegExp]>([
    [
      'a certificate that nobody has signed',
      () => listen(createTlsServer(selfSigned(), (socket) => void socket.on('error', () => undefined))),
      /self-signed certificate/,
    ],
    ['plain HTTP', () => kong(answer(sized('{}'))), /wrong version number|SSL|packet/i],
    ['an alert', () => kong(answer('\x15\x03\x03\x00\x02\x02\x28')), /handshake failure/i],
    [
      'a greeting that breaks off',
      () => kong(answer('\x16\x03\x03\x40\x00\x02')),
      /TLS connection|ECONNRESET|closed/,
    ],
    ['nothing', () => kong(() => undefined), /within 400 ms/],
  ])('is an error that says so: %s', async (_what, start, said) => {
    expect((await ask(`https://127.0.0.1:${String(await start())}`)).error).toMatch(said);
  });

  it('although its certificate is one of those that are trusted: it is out of date, or for another name', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 2 * 366 * 86_400_000 });
    const outOfDate = selfSigned();
    vi.useRealTimers();
    const current = selfSigned();
    const usual = getCACertificates('default');
    onTestFinished(() => setDefaultCACertificates(usual));
    setDefaultCACertificates([...usual, outOfDate.cert, current.cert]);
    const start = async (certificate: { key: string; cert: string }, host = '127.0.0.1'): Promise<string> => {
      const port = await listen(
        createTlsServer(certificate, (socket) => {
          socket.on('error', () => undefined).once('data', () => answer(sized('{}'))(socket));
        }).on('tlsClientError', () => undefined),
        host,
      );
      return `https://${host}:${String(port)}`;
    };
    expect(await ask(await start(current), patient)).toEqual({ status: 200, error: null });
    const elsewhere = await ask(await start(current, '127.0.0.2'), patient);
    expect(elsewhere.error).toMatch(/not in the cert's list/);
    expect((await ask(await start(outOfDate), patient)).error).toMatch(/expired/);
  });

  it('and TLS where plain HTTP was meant is one, too', async () => {
    const port = await listen(
      createTlsServer(selfSigned(), (socket) => void socket.on('error', () => undefined)).on(
        'tlsClientError',
        () => undefined,
      ),
    );
    expect((await ask(`http://127.0.0.1:${String(port)}`)).error).toMatch(/has no answer|no whole answer/);
  });
});
