import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHeaderLine } from '../../../../src/http/http1/header-line.ts';

const parse = (text: string) => parseHeaderLine(Buffer.from(text, 'latin1'), 0);

describe('a header line', () => {
  test.each([
    ['X-A: b\r\n', 'X-A', 'b', false],
    ['X-A:b\n', 'X-A', 'b', false],
    ['X-A:   b  c  \r\n', 'X-A', 'b  c', false],
    ['X-A: \tb\t\r\n', 'X-A', '\tb\t', false],
    ['X-A:\r\n', 'X-A', '', false],
    ['X-A: b\r\r\n', 'X-A', 'b', false],
    ['NoColon\r\n', 'NoColon', '', false],
    ['NoColon\n', 'NoColon', '', false],
    ['X_Foo: 1\r\n', 'X_Foo', '1', false],
    ['X.Foo: 1\r\n', 'X.Foo', '1', true],
    ['Bad@Name: 1\r\n', 'Bad@Name', '1', true],
    ['X-B: a\x01\xffb\r\n', 'X-B', 'a\x01\xffb', false],
  ])('%j is read as nginx reads it', (text, name, value, odd) => {
    expect(parse(text)).toEqual({ kind: 'line', name, value, odd, next: text.length });
  });

  test.each([
    ' folded\r\n',
    '\tfolded\r\n',
    ': v\r\n',
    'X A: b\r\n',
    'X-A: a\0b\r\n',
    'X-A: b\rc\r\n',
    '\rx',
    'X\x7f: 1\n',
  ])('%j is invalid', (text) => expect(parse(text)).toEqual({ kind: 'invalid' }));

  test.each([
    ['\r\n', 2],
    ['\n', 1],
  ])('%j ends the headers', (text, next) => expect(parse(text)).toEqual({ kind: 'end', next }));

  test('every beginning of a valid line asks for more', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/),
        fc.stringMatching(/^[!-~]( [!-~]|[!-~\t]){0,20}$/),
        (name, value) => {
          const line = `${name}: ${value}\r\n`;
          for (let length = 0; length < line.length; length++)
            expect(parse(line.slice(0, length))).toEqual({ kind: 'more' });
          expect(parse(line)).toMatchObject({ kind: 'line', name, value });
        },
      ),
    );
  });
});
