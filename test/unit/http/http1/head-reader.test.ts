import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeadReader } from '../../../../src/http/http1/head-reader.ts';
import { RequestRefused } from '../../../../src/http/http1/request-head.ts';
import { parseTarget, validHost } from '../../../../src/http/http1/request-target.ts';

/** What a reader makes of bytes that come in pieces: the head, the status of a refusal, or null for more to come. */
function read(pieces: readonly Buffer[]): unknown {
  const reader = new HeadReader();
  let taken = 0;
  try {
    for (const piece of pieces) {
      taken += piece.length;
      const read = reader.push(piece);
      if (read !== null) return { head: read.head, used: taken - read.rest.length };
    }
    return null;
  } catch (error) {
    if (error instanceof RequestRefused) return error.status;
    throw error;
  }
}

const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));

const line = fc.stringMatching(/^[A-Za-z@.:\r\0 -]{0,12}$/);

describe('a head', () => {
  test('is the same however its bytes are cut', () => {
    const heads = fc
      .tuple(fc.constantFrom('GET / HTTP/1.1', 'GET /%2 HTTP/1.1', 'PUT /a?b HTTP/1.0'), fc.array(line))
      .map(([first, more]) => Buffer.from([first, 'Host: a', ...more, '', 'rest'].join('\r\n'), 'latin1'));
    fc.assert(
      fc.property(heads, fc.integer({ min: 1, max: 40 }), (bytes, size) => {
        expect(read(cut(bytes, size))).toEqual(read([bytes]));
      }),
    );
  });

  test('never throws anything but a refusal, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
        read(pieces.map((piece) => Buffer.from(piece)));
      }),
    );
  });

  test.each([
    ['one header line of 8192 bytes', 1, 8192, true],
    ['one of 8193 bytes', 1, 8193, false],
    ['four that leave room for the empty line', 4, 8190, true],
    ['five of 8192 bytes', 5, 8192, false],
  ])('%s fits nginx’s buffers: %o', (_name, count, length, fits) => {
    const header = `X: ${'a'.repeat(length - 5)}\r\n`;
    const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${header.repeat(count)}\r\n`);
    expect(read([bytes])).toEqual(fits ? expect.objectContaining({ used: bytes.length }) : 494);
  });
});

test.each([
  ['PRI * HTTP/2.0', 400],
  ['GET h:/x HTTP/2.0', 400],
  ['GET / HTTP/2.0', 505],
  ['GET /%zz HTTP/2.0', 505],
  ['GET /%zz HTTP/1.1', 400],
])('of %s the first thing that is wrong decides: %d', (first, status) => {
  expect(read([Buffer.from(`${first}\r\nHost: a\r\n\r\n`)])).toBe(status);
});

test.each([
  ['/a/./b/../c//d', '/a/c/d'],
  ['/a/..', '/'],
  ['/a/b/.', '/a/b/'],
  ['/%2e%2E/', null],
  ['/a%2Fb', '/a/b'],
  ['/a%2', null],
  ['/a%00', null],
  ['/a#b?c', '/a'],
  ['http://h.test', '/'],
  ['ftp://h.test/x', '/x'],
  ['http://me@h.test/', null],
  ['http:///x', null],
  ['*', null],
])('the target %s is the path %o', (target, path) => {
  expect(parseTarget(target)?.path ?? null).toBe(path);
});

test.each([
  ['A.Test:80', 'a.test'],
  ['wild.', 'wild'],
  ['[::1]:8000', '[::1]'],
  ['[::1', '[::1'],
  ['a..b', null],
  [':80', null],
  ['a b', null],
])('the host of %s is %o', (header, host) => {
  expect(validHost(header)).toBe(host);
});
