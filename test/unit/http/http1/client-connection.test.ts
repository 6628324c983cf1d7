import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ClientTimeouts, RequestHandler } from '../../../../src/http/http1/client-connection.ts';
import { ClientConnection } from '../../../../src/http/http1/client-connection.ts';
import { BodyStalled } from '../../../../src/http/http1/client-request.ts';

const short: ClientTimeouts = { headMs: 60, bodyMs: 60, idleMs: 60, lingerMs: 5000 };
const long: ClientTimeouts = { headMs: 60_000, bodyMs: 60_000, idleMs: 60_000, lingerMs: 5000 };
let server: net.Server;
let accepted: net.Socket[];

beforeEach(() => {
  accepted = [];
});
afterEach(() => {
  server.close();
});

/** Answers each request with its method and its body. */
const echo = (seen: unknown[]): RequestHandler => ({
  serve: async (request, response) => {
    try {
      const pieces: Buffer[] = [];
      for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
        pieces.push(piece);
      const text = `${request.method ?? ''} ${Buffer.concat(pieces).toString()}`;
      response.head(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${String(text.length)}\r\n\r\n`));
      await response.body(Buffer.from(text));
      await response.end();
      return true;
    } catch (error) {
      seen.push(error);
      return false;
    }
  },
  refuse: async (status, request, response) => {
    seen.push([status, request.head.line]);
    response.destroy();
  },
});

async function listen(handler: RequestHandler, timeouts: ClientTimeouts): Promise<number> {
  server = net.createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    void new ClientConnection(socket, handler, timeouts).run();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Sends bytes and resolves with all that comes back when the connection has ended. */
function exchange(
  port: number,
  pieces: string | readonly string[] = [],
  hear: (answer: string) => void = () => undefined,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (piece: Buffer) => hear((answer += piece.toString('latin1'))));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    for (const piece of [pieces].flat()) socket.write(piece);
  });
}

/** Resolves once so many connections are there, and so many bytes of each have been read. */
async function read(connections: number, bytes: number): Promise<void> {
  const isRead = () =>
    accepted.length === connections && accepted.every(({ bytesRead }) => bytesRead === bytes);
  do await new Promise(setImmediate);
  while (!isRead());
  // The reader of the bytes has its turn.
  await new Promise(setImmediate);
}

/** Lets each limit pass until the connections have ended, and resolves with what came back. */
async function ended<T>(answers: Promise<T>): Promise<T> {
  let isOver = false;
  void answers.then(() => (isOver = true));
  while (!isOver) {
    await vi.advanceTimersByTimeAsync(short.headMs);
    await new Promise(setImmediate);
  }
  return answers;
}

describe('time limits', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
  afterEach(() => void vi.useRealTimers());

  test('half a head ends without an answer and is told as 408; 300 of them all end', async () => {
    const seen: unknown[] = [];
    const port = await listen(echo(seen), short);
    const head = 'GET /slow HTTP/1.1\r\nHost: a\r\nX-';
    const ends = Promise.all(Array.from({ length: 300 }, () => exchange(port, head)));
    await read(300, head.length);
    expect(new Set(await ended(ends))).toEqual(new Set(['']));
    expect(seen).toHaveLength(300);
    expect(seen[0]).toEqual([408, 'GET /slow HTTP/1.1']);
  });

  test('a connection that sends nothing ends', async () => {
    const seen: unknown[] = [];
    const end = exchange(await listen(echo(seen), short));
    await read(1, 0);
    expect(await ended(end)).toBe('');
    expect(seen).toEqual([]);
  });

  test('an idle connection ends after its answer', async () => {
    const seen: unknown[] = [];
    const port = await listen(echo(seen), short);
    let answered = false;
    const end = exchange(
      port,
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      (answer) => (answered = answer.endsWith('GET ')),
    );
    while (!answered) await new Promise(setImmediate);
    expect(await ended(end)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(seen).toEqual([]);
  });

  test('a body that pauses for too long is an error of its reader', async () => {
    const seen: unknown[] = [];
    const port = await listen(echo(seen), short);
    const half = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf';
    const end = exchange(port, half);
    await read(1, half.length);
    await ended(end);
    expect(seen).toEqual([expect.any(BodyStalled)]);
  });
});

test('bodies that nobody reads are passed over, and the next request is found behind them', async () => {
  const seen: string[] = [];
  const port = await listen(
    {
      serve: async (request, response) => {
        seen.push(request.url ?? '');
        response.head(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
        await response.end();
        return seen.length < 3;
      },
      refuse: async () => undefined,
    },
    long,
  );
  await exchange(port, [
    `POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`,
    'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n',
    'GET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
  ]);
  expect(seen).toEqual(['/1', '/2', '/3']);
});

test('a client that waits for 100 Continue gets it', async () => {
  const port = await listen(echo([]), long);
  const request = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx';
  const answer = await new Promise<string>((resolve) => {
    const hear = (text: string): void => {
      if (text.endsWith('POST x')) resolve(text);
    };
    void exchange(port, request, hear);
  });
  for (const socket of accepted) socket.destroy();
  expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*POST x/);
});
