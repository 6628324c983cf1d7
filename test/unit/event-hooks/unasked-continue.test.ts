import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { HttpTarget } from '../../../src/event-hooks/delivery/http-target.ts';
import { TargetGuard } from '../../../src/event-hooks/delivery/target-guard.ts';

const continueHead = 'HTTP/1.1 100 Continue\r\n\r\n';
const okAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers each request with these pieces, each written for itself; counts how often each id has come. */
async function target(
  pieces: readonly string[],
  times: Map<string, number>,
  close = false,
): Promise<HttpTarget> {
  const server = createServer((socket) => {
    let text = '';
    let turn = Promise.resolve();
    socket.setNoDelay(true).on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const id = /x-id: (\w+)/.exec(text.slice(0, end))?.[1] ?? '';
        text = text.slice(end + 4);
        times.set(id, (times.get(id) ?? 0) + 1);
        turn = turn.then(async () => {
          for (const piece of pieces) {
            socket.write(piece, 'latin1');
            await new Promise((resolve) => setImmediate(resolve));
          }
          if (close) socket.end();
        });
      }
    });
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const made = new HttpTarget(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, {
    guard: new TargetGuard({ allowLoopback: true }),
    sslVerify: true,
    timeoutMs: 5000,
    maxResponseBytes: 1000,
    keepResponseBytes: 1000,
    pipelining: 8,
  });
  onTestFinished(() => made.destroy());
  return made;
}

it.each([
  ['in one piece with the answer', [continueHead + okAnswer], false],
  ['before the answer', [continueHead, okAnswer], false],
  ['byte by byte', [...(continueHead + okAnswer)], false],
  [
    'three times, with headers and other informational answers',
    [
      continueHead.replace('\r\n\r\n', '\r\nLink: </a>\r\n\r\n'),
      `${continueHead}HTTP/1.1 103 Early\r\n\r\n${continueHead}${okAnswer}`,
    ],
    false,
  ],
  [
    'with an answer whose body looks like one',
    [continueHead, `HTTP/1.1 200 OK\r\nContent-Length: ${String(continueHead.length)}\r\n\r\n`, continueHead],
    false,
  ],
  ['by a server that closes', [continueHead + okAnswer.replace('\r\n', '\r\nConnection: close\r\n')], true],
] as [string, string[], boolean][])(
  'a 100 Continue that nobody asked for is not an answer and costs no copy: %s',
  async (_how, pieces, close) => {
    const times = new Map<string, number>();
    const to = await target(pieces, times, close);
    const ids = Array.from({ length: 12 }, (_, at) => `e${String(at)}`);
    const answers = await Promise.all(
      ids.map((id) => to.send({ id, method: 'POST', path: '/', headers: ['x-id', id], body: null })),
    );
    expect(answers.map(({ status, error, sent }) => [status, error, sent])).toEqual(
      ids.map(() => [200, null, 1]),
    );
    if (pieces.at(-1) === continueHead) expect(answers[0]?.body).toBe(continueHead);
    expect([...times]).toEqual(ids.map((id) => [id, 1]));
  },
);

it('a 100 Continue and then nothing is not an answer', async () => {
  const to = await target([continueHead], new Map(), true);
  const answer = await to.send({ id: 'e', method: 'POST', path: '/', headers: [], body: null });
  expect([answer.status, answer.error === null]).toEqual([null, false]);
});
