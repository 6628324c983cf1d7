import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkedBody, InvalidChunk } from '../../../../src/http/http1/chunked-body.ts';

function read(pieces: readonly Buffer[]): { content: string; done: boolean; rest: number } {
  const body = new ChunkedBody();
  const content: Buffer[] = [];
  let rest = 0;
  for (const piece of pieces) rest += piece.length - body.read(piece, (each) => content.push(each));
  return { content: Buffer.concat(content).toString('latin1'), done: body.done, rest };
}

const whole = (text: string) => read([Buffer.from(text, 'latin1')]);

describe('a chunked body', () => {
  test.each([
    ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
    ['3\nabc\n0\n\n', 'abc'],
    ['3;a=b\r\nabc\r\n0;x\r\n\r\n', 'abc'],
    ['3 \r\nabc\r\n000\r\n\r\n', 'abc'],
    ['A\r\n0123456789\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n', '0123456789'],
    ['0\r\n\r\n', ''],
  ])('%j is read as nginx reads it', (text, content) => {
    expect(whole(text)).toEqual({ content, done: true, rest: 0 });
  });

  test('bytes after its end are left alone', () => {
    expect(whole('1\r\na\r\n0\r\n\r\nHTTP/1.1')).toEqual({ content: 'a', done: true, rest: 8 });
  });

  test.each(['\r\n', 'x\r\n', '-1\r\n', '3\r\nabcd', '1\r\na\rb', '1\rx', '3x\r\n', `${'f'.repeat(20)}\r\n`])(
    '%j is not a chunked body',
    (text) => expect(() => whole(text)).toThrow(InvalidChunk),
  );

  test('extensions and trailers without end are refused', () => {
    expect(() => whole(`1;${'x'.repeat(70_000)}`)).toThrow(InvalidChunk);
    expect(() => whole(`0\r\n${'X: y\r\n'.repeat(20_000)}`)).toThrow(InvalidChunk);
  });

  test('is the same however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.nat(30), { maxLength: 30 }),
        (chunks, cuts) => {
          const text = Buffer.concat([
            ...chunks.map((chunk) =>
              Buffer.concat([Buffer.from(`${chunk.length.toString(16)};e\r\n`), chunk, Buffer.from('\r\n')]),
            ),
            Buffer.from('0\r\nT: 1\r\n\r\n'),
          ]);
          const pieces: Buffer[] = [];
          let at = 0;
          for (const cut of cuts) {
            pieces.push(text.subarray(at, at + cut));
            at += cut;
          }
          pieces.push(text.subarray(Math.min(at, text.length)));
          expect(read(pieces)).toEqual({
            content: Buffer.concat(chunks).toString('latin1'),
            done: true,
            rest: 0,
          });
        },
      ),
    );
  });
});
