import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswerHead } from '../../../../src/http/client/answer-head.ts';
import { AnswerReader } from '../../../../src/http/client/answer-reader.ts';

interface Answer {
  status: number;
  keepsAlive: boolean;
  body: string;
  ended: boolean;
}

function readAll(pieces: readonly Buffer[], closes = false): Answer[] {
  const answers: Answer[] = [];
  const reader = new AnswerReader({
    head: ({ status, keepsAlive }) => answers.push({ status, keepsAlive, body: '', ended: false }),
    data: (bytes) => (last().body += bytes.toString('latin1')),
    end: () => (last().ended = true),
  });
  const last = (): Answer => answers.at(-1) as Answer;
  // The reader has to copy what it keeps: each piece is overwritten after it was pushed.
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    reader.push(bytes);
    bytes.fill(0);
  }
  if (closes) reader.close();
  return answers;
}

const whole = (text: string): Buffer[] => [Buffer.from(text, 'latin1')];
const bytewise = (text: string): Buffer[] => [...Buffer.from(text, 'latin1')].map((byte) => Buffer.of(byte));

describe.each([
  ['whole', whole],
  ['byte by byte', bytewise],
])('answers that come %s', (_how, cut) => {
  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 200, true, 'ok'],
    ['no body', 'HTTP/1.1 204 No Content\r\n\r\n', 204, true, ''],
    ['not modified', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 304, true, ''],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 200, true, 'ok'],
    [
      'trailers',
      'HTTP/1.1 500 No\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n',
      500,
      true,
      'x',
    ],
    ['line feeds alone', 'HTTP/1.1 201 Created\nContent-Length: 0\n\n', 201, true, ''],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 200, true, ''],
    ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200, true, ''],
    ['close', 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n', 200, false, ''],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', 200, false, ''],
    [
      'HTTP/1.0 that stays',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      200,
      true,
      '',
    ],
    [
      'both lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      200,
      false,
      '',
    ],
    [
      'informational answers before it',
      'HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\nHTTP/1.1 103 Hints\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
      200,
      true,
      'x',
    ],
    [
      'a length twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nContent-Length: 1\r\n\r\nx',
      200,
      true,
      'x',
    ],
    [
      'a header of two lines',
      'HTTP/1.1 200 OK\r\nX: a\r\n Content-Length: 3\r\nContent-Length: 1\r\n\r\nx',
      200,
      true,
      'x',
    ],
  ])('%s', (_what, text, status, keepsAlive, body) => {
    const answer = { status, keepsAlive, body, ended: true };
    expect(readAll(cut(text))).toEqual([answer]);
    if (keepsAlive) expect(readAll(cut(text.repeat(3)))).toEqual([answer, answer, answer]);
  });

  it('a body without a length ends with the connection', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nabc';
    const answer = { status: 200, keepsAlive: false, body: 'abc' };
    expect(readAll(cut(text))).toEqual([{ ...answer, ended: false }]);
    expect(readAll(cut(text), true)).toEqual([{ ...answer, ended: true }]);
  });

  it.each([
    ['another protocol', 'HTTP/2 200 OK\r\n\r\n', 'no status line'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', 'another protocol'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'no content-length'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'no content-length'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nhello\r\n\r\n', 'a header without'],
    ['no size of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', 'size of a chunk'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, 'no end'],
    ['informational answers without an end', 'HTTP/1.1 103 Hints\r\n\r\n'.repeat(3500), 'no end'],
    ['empty lines without an end', '\r\n'.repeat(40_000), 'no end'],
  ])('%s is not understood', (_what, text, problem) => {
    expect(() => readAll(cut(text))).toThrow(problem);
  });
});

it('however the bytes of answers are cut, they are the same answers', () => {
  const body = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
  const answer = fc
    .tuple(fc.constantFrom(200, 204, 404, 503), body, fc.boolean())
    .map(([status, text, chunked]): [string, Answer] => {
      const content = status === 204 ? '' : text;
      const bytes = chunked
        ? `Transfer-Encoding: chunked\r\n\r\n${content === '' ? '' : `${content.length.toString(16)}\r\n${content}\r\n`}0\r\n\r\n`
        : `Content-Length: ${String(content.length)}\r\n\r\n${content}`;
      const sent = status === 204 ? '\r\n' : bytes;
      return [
        `HTTP/1.1 ${String(status)} X\r\n${sent}`,
        { status, keepsAlive: true, body: content, ended: true },
      ];
    });
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 6 }), fc.array(fc.nat(30), { maxLength: 30 }), (all, cuts) => {
      const bytes = Buffer.from(all.map(([text]) => text).join(''), 'latin1');
      const pieces: Buffer[] = [];
      let at = 0;
      for (const size of cuts) pieces.push(bytes.subarray(at, (at += size)));
      pieces.push(bytes.subarray(at));
      expect(readAll(pieces)).toEqual(all.map(([, expected]) => expected));
    }),
  );
});

it('no bytes whatever end in anything but answers or BadAnswer', () => {
  const piece = fc.constantFrom(
    'HTTP/1.1 200 OK',
    '\r\n',
    '\n',
    'Content-Length: 3',
    'Transfer-Encoding: chunked',
    ':',
    '0',
    'abc',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        readAll(whole(pieces.join('')), true);
      } catch (error) {
        expect(['BadAnswer', 'InvalidChunk']).toContain((error as Error).name);
      }
    }),
  );
});

it('tells how long the other side keeps the connection, and when to come again', () => {
  const head = readAnswerHead(
    'HTTP/1.1 429 No\r\nKeep-Alive: max=5, timeout=7\r\nRetry-After: 3\r\nContent-Length: 0',
  );
  expect(head).toEqual({ status: 429, body: 0, keepsAlive: true, retryAfter: '3', idleMs: 7000 });
});
