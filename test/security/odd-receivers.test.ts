import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { HttpTarget } from '../../src/event-hooks/delivery/http-target.ts';
import { TargetGuard } from '../../src/event-hooks/delivery/target-guard.ts';

type Respond = (socket: Socket) => void;

/** Reads one request at a time; closes after each answer where it says so, and reads nothing more then. */
async function receiver(
  respond: Respond,
  closes: boolean,
  early: boolean,
): Promise<{ to: HttpTarget; got: string[] }> {
  const got: string[] = [];
  const server = createServer((socket) => {
    let text = '';
    let over = false;
    socket.setNoDelay(true).on('error', () => undefined);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      while (!over) {
        const end = text.indexOf('\r\n\r\n') + 4;
        if (end < 4) return;
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
        if (!early && text.length < end + length) return;
        got.push(/x-id: (\w+)/.exec(text.slice(0, end))?.[1] ?? '');
        text = text.slice(end + length);
        over = closes;
        respond(socket);
      }
    });
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const to = new HttpTarget(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, {
    guard: new TargetGuard({ allowLoopback: true }),
    sslVerify: true,
    timeoutMs: 5000,
    maxResponseBytes: 10_000,
    keepResponseBytes: 1000,
    pipelining: 8,
  });
  onTestFinished(() => to.destroy());
  return { to, got };
}

const ok = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
const ends =
  (text: string): Respond =>
  (socket) =>
    void socket.end(text);
const stays =
  (text: string): Respond =>
  (socket) =>
    void socket.write(text);
const pieces = async (socket: Socket, text: string): Promise<void> => {
  for (const byte of text) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
};

const odd: [what: string, respond: Respond, closes: boolean][] = [
  ['Connection: Close', ends(`${ok('Connection: Close', 'Content-Length: 2')}ok`), true],
  ['close in a list', ends(`${ok('Connection: foo, CLOSE', 'Content-Length: 2')}ok`), true],
  ['keep-alive and close', ends(`${ok('Connection: keep-alive, close', 'Content-Length: 2')}ok`), true],
  [
    'two lines of Connection',
    ends(`${ok('Connection: keep-alive', 'Connection: close', 'Content-Length: 2')}ok`),
    true,
  ],
  ['a body up to the end', ends(`${ok()}ok`), true],
  ['HTTP/1.0 and a length', ends('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'), true],
  [
    'HTTP/1.0 that stays',
    stays('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'),
    false,
  ],
  [
    'close, byte by byte',
    (socket) => void pieces(socket, `${ok('Connection: close', 'Content-Length: 2')}ok`),
    true,
  ],
  [
    'close behind a 100 and a 103',
    ends(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n${ok('Connection: close', 'Content-Length: 2')}ok`,
    ),
    true,
  ],
  [
    'a 100 that closes, and stays',
    stays(`HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n${ok('Content-Length: 2')}ok`),
    false,
  ],
  [
    'Keep-Alive: max=1',
    ends(`${ok('Keep-Alive: timeout=5, max=1', 'Connection: close', 'Content-Length: 2')}ok`),
    true,
  ],
  ['Keep-Alive: timeout=0', stays(`${ok('Keep-Alive: timeout=0', 'Content-Length: 2')}ok`), false],
  [
    'chunks with trailers',
    stays(`${ok('Transfer-Encoding: chunked', 'Trailer: X')}2;a="b"\r\nok\r\n0\r\nX: y\r\n\r\n`),
    false,
  ],
  [
    'chunks, and close',
    ends(`${ok('Transfer-Encoding: chunked', 'Connection: close')}2\r\nok\r\n0\r\n\r\n`),
    true,
  ],
  ['204 without a length', stays('HTTP/1.1 204 No Content\r\n\r\n'), false],
  ['204 that closes', ends('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'), true],
  ['no reason', stays('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'), false],
];

async function deliver(to: HttpTarget, body: string): Promise<[number | null, number][]> {
  const all = Array.from({ length: 12 }, (_, at) =>
    to.send({ id: `e${String(at)}`, method: 'POST', path: '/', headers: ['x-id', `e${String(at)}`], body }),
  );
  return (await Promise.all(all)).map(({ status, sent }) => [status, sent]);
}
const ids = Array.from({ length: 12 }, (_, at) => `e${String(at)}`);

it.each(odd)(
  'each event comes once, in its order, at a receiver that answers with %s',
  async (_what, respond, closes) => {
    const { to, got } = await receiver(respond, closes, false);
    const answers = await deliver(to, '{}');
    expect(answers.map(([status]) => Math.floor((status ?? 0) / 100))).toEqual(ids.map(() => 2));
    expect(answers.map(([, sent]) => sent)).toEqual(ids.map(() => 1));
    expect(got).toEqual(ids);
  },
);

it('a receiver that answers before it has read a body is answered: its word counts, and no event comes more often than it is counted', async () => {
  const { to, got } = await receiver(ends(`${ok('Connection: close', 'Content-Length: 2')}ok`), true, true);
  const answers = await deliver(to, 'x'.repeat(300_000));
  const times = (id: string): number => got.filter((one) => one === id).length;
  for (const [at, [, sent]] of answers.entries()) expect(times(ids[at] ?? '')).toBeLessThanOrEqual(sent);
  expect(new Set(got)).toEqual(new Set(ids));
});
