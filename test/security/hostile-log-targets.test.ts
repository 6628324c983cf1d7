import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startInstance } from '../plugins/http-log-enterprise/support/instance.ts';
import type { Running } from '../plugins/http-log-enterprise/support/instance.ts';

interface Target {
  readonly url: string;
  /** Bodies, in the order in which they came. */
  readonly got: string[];
}

/** Takes whole requests and leaves the answer to a test: it is told how many came before. */
async function target(respond: (socket: Socket, before: number) => void): Promise<Target> {
  const got: string[] = [];
  const server = createServer((socket) => {
    let text = '';
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        text += bytes.toString('latin1');
        for (;;) {
          const end = text.indexOf('\r\n\r\n') + 4;
          const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
          if (end < 4 || text.length < end + length) return;
          const before = got.push(text.slice(end, end + length)) - 1;
          text = text.slice(end + length);
          respond(socket, before);
        }
      });
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`, got };
}

async function logTo({ url }: Target, more: Record<string, unknown> = {}): Promise<Running> {
  const running = await startInstance({
    http_endpoint: url,
    timeout: 300,
    shutdown_grace: 0,
    queue: { initial_retry_delay: 0.01, max_retry_delay: 0.02, max_retry_time: 60 },
    ...more,
  });
  onTestFinished(() => running.close());
  return running;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const records = Array.from({ length: 12 }, (_, at) => `{"n":${String(at)}}`);

it.each([
  ['a 100 Continue that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${ok}`],
  ['several of them, with headers', `${'HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\n'.repeat(3)}${ok}`],
  ['one that says that it closes', `HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n${ok}`],
  ['early hints', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}`],
  ['an answer without a reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'],
  [
    'an answer with trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX-A: b\r\n\r\n',
  ],
  [
    'a Keep-Alive with max=1',
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=1\r\nContent-Length: 2\r\n\r\nok',
  ],
  ['lines that end with LF alone', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a header of two lines', 'HTTP/1.1 200 OK\r\nX: a\r\n b: c\r\nContent-Length: 2\r\n\r\nok'],
  ['an empty line before it', `\r\n${ok}`],
  ['no length and no close', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['a length beside no content', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n'],
  ['HTTP/1.0 that stays', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'],
])('a record comes once where its target answers with %s', async (_what, answer) => {
  const to = await target((socket) => void socket.write(answer, 'latin1'));
  // A busy machine is no silent target.
  const log = await logTo(to, { timeout: 10_000 });
  for (const record of records) await log.record(record);
  await expect.poll(() => log.values.get('http_log_sent_total'), { timeout: 5000 }).toBe(records.length);
  expect([...to.got].sort()).toEqual([...records].sort());
});

const endless: [what: string, beginning: string, rest: string][] = [
  ['informational answers', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ['100 Continue', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['a reason', 'HTTP/1.1 200 ', 'O'.repeat(8192)],
  ['a header', 'HTTP/1.1 200 OK\r\nX: ', 'a'.repeat(8192)],
  ['empty lines', '', '\r\n\r\n'],
  ['zeros before the size of a chunk', 'HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n', '00'],
  ['the body of an error, byte by byte', 'HTTP/1.1 500 No\r\nContent-Length: 9000000\r\n\r\n', 'x'],
  ['the body of an error', 'HTTP/1.1 500 No\r\n\r\n', 'x'.repeat(65_536)],
];

it('a target whose answer has no end is given up in time, and the next attempt counts', async () => {
  const all = await Promise.all(
    endless.map(async ([what, beginning, rest]) => {
      const to = await target((socket, before) => {
        if (before > 0) {
          socket.write(ok);
          return;
        }
        socket.write(beginning, 'latin1');
        const timer = setInterval(() => socket.write(rest, 'latin1'), 10);
        socket.on('close', () => clearInterval(timer));
      });
      const log = await logTo(to);
      await log.record('{"n":1}');
      return { what, to };
    }),
  );
  for (const { what, to } of all)
    await expect.poll(() => to.got.length, { message: what, timeout: 10_000 }).toBe(2);
});

it('a target that takes a record and never ends the body of its answer holds nothing up', async () => {
  const to = await target((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const timer = setInterval(() => socket.write('1\r\nx\r\n'), 10);
    socket.on('close', () => clearInterval(timer));
  });
  const log = await logTo(to, { queue: { concurrency_limit: 1 } });
  for (const record of records.slice(0, 3)) await log.record(record);
  await expect.poll(() => to.got.length, { timeout: 10_000 }).toBe(3);
  expect(to.got).toEqual(records.slice(0, 3));
});
