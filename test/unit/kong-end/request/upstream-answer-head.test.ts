import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidAnswer, parseAnswerHead } from '../../../../src/kong-end/request/upstream-answer-head.ts';

const parse = (text: string, toHead = false) => parseAnswerHead(Buffer.from(text, 'latin1'), toHead);

describe('the head of an answer', () => {
  test.each([
    ['HTTP/1.1 200 OK\r\n\r\n', 200, '200 OK', 'close', true],
    ['HTTP/1.1 200\r\n\r\n', 200, '200', 'close', true],
    ['HTTP/1.1 403.1 Go\n\n', 403, '403.1 Go', 'close', true],
    ['HTTP/1.0 200 OK\r\n\r\n', 200, '200 OK', 'close', false],
    ['HTTP/2.0 200 OK\r\n\r\n', 200, '200 OK', 'close', true],
    ['HTTP/1.1 200 OK\r\nConnection: Foo, CLOSE\r\n\r\n', 200, '200 OK', 'close', false],
    ['HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n', 200, '200 OK', 7, true],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n', 200, '200 OK', 'chunked', true],
    ['HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n', 204, '204 No', 'none', true],
    ['HTTP/1.1 101 Switch\r\n\r\n', 101, '101 Switch', 'close', false],
  ])('%j', (text, status, statusLine, framing, keepAlive) => {
    expect(parse(text)?.head).toMatchObject({ status, statusLine, framing, keepAlive });
    expect(parse(text)?.next).toBe(text.length);
    expect(parse(text, true)?.head.framing).toBe('none');
  });

  test.each(['x', 'HTTX', 'HTTP/0.9 200', 'HTTP/1.x', 'HTTP/1.1 20x', 'HTTP/1.1 2000', 'HTTP/1.1 200 OK\rx'])(
    '%j begins an answer of HTTP/0.9',
    (text) => expect(parse(text)).toMatchObject({ head: { statusLine: null }, next: 0 }),
  );

  test('asks for more until it is whole, and is then the same', () => {
    const text = 'HTTP/1.1 200 Fine\r\nA: 1\r\nHTTP/1.1 200 Fine\r\nB: 2\nContent-Length: 3\r\n\r\n';
    for (let length = 0; length < text.length; length++) expect(parse(text.slice(0, length))).toBeNull();
    expect(parse(`${text}abc`)).toEqual({
      head: {
        status: 200,
        statusLine: '200 Fine',
        headers: [
          ['A', '1'],
          ['B', '2'],
          ['Content-Length', '3'],
        ],
        framing: 3,
        keepAlive: true,
      },
      next: text.length,
    });
  });

  test('of any bytes is a head, nothing yet, or invalid', () => {
    const line = fc.oneof(
      fc.constantFrom(
        'Content-Length: 3',
        'Content-Length: x',
        'Transfer-Encoding: chunked',
        'Connection: close',
        '',
      ),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\r\n', '\n'), (lines, end) => {
        try {
          const parsed = parse(['HTTP/1.1 200 OK', ...lines, '', ''].join(end));
          if (parsed !== null) expect(parsed.next).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidAnswer);
        }
      }),
    );
  });
});
