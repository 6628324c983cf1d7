import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answerFraming,
  endToEnd,
  framingHeaders,
  framingOf,
  reasonPhrase,
  UnforwardableError,
} from '../../../src/http/headers.ts';

const statusOf = (run: () => unknown): number => {
  try {
    run();
  } catch (error) {
    if (error instanceof UnforwardableError) return error.status;
    throw error;
  }
  return 200;
};

describe('what belongs to a connection', () => {
  it('stays behind, with what Connection names', () => {
    expect(
      endToEnd(['A', '1', 'Connection', 'x-hop, close', 'X-Hop', 'gone', 'Keep-Alive', '5', 'a', '2']),
    ).toEqual(['A', '1', 'a', '2']);
  });

  it.each(['content-length', 'Transfer-Encoding', 'host', 'Authorization', 'kong-admin-token'])(
    'is never %s: a client that says so is refused',
    (name) => {
      expect(statusOf(() => endToEnd(['Connection', `close, ${name}`]))).toBe(400);
    },
  );

  it('never holds framing, whatever a peer sends', () => {
    const name = fc.constantFrom('Content-Length', 'transfer-encoding', 'TE', 'Connection', 'X-A', 'Upgrade');
    const value = fc.constantFrom('3', 'chunked', 'close', 'x-a', 'keep-alive, x-a', '');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (list) => {
        const kept = endToEnd(list.flat()).filter((_, at) => at % 2 === 0);
        expect(kept.every((one) => one === 'X-A')).toBe(true);
      }),
    );
  });
});

describe('the framing of a message', () => {
  it('is what its headers say in one way', () => {
    expect(framingOf([])).toEqual({ kind: 'none' });
    expect(framingHeaders(framingOf(['content-length', '12']))).toEqual(['Content-Length', '12']);
    expect(framingHeaders(framingOf(['Transfer-Encoding', ' Chunked ']))).toEqual([
      'Transfer-Encoding',
      'chunked',
    ]);
  });

  it.each([
    ['both ways at once', ['Content-Length', '1', 'Transfer-Encoding', 'chunked'], 400],
    ['two lengths', ['Content-Length', '1', 'content-length', '1'], 400],
    ['a sign', ['Content-Length', '+1'], 400],
    ['no number', ['Content-Length', '0x10'], 400],
    ['an endless number', ['Content-Length', '9'.repeat(30)], 400],
    ['another coding', ['Transfer-Encoding', 'gzip, chunked'], 501],
    ['a coding twice', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'], 501],
  ])('is refused with %s', (_, raw, status) => {
    expect(statusOf(() => framingOf(raw))).toBe(status);
  });
});

it('a reason phrase is dropped where HTTP cannot carry it', () => {
  expect(reasonPhrase('Not Found')).toBe('Not Found');
  expect(reasonPhrase('O\u0001K')).toBeUndefined();
  expect(reasonPhrase('O\r\nX: 1')).toBeUndefined();
  expect(reasonPhrase('Ok \u20ac')).toBeUndefined();
});

it('the length of an answer without content is information for HEAD and 304, and nothing else says one', () => {
  const length = { kind: 'length', bytes: '5' } as const;
  const chunked = { kind: 'chunked' } as const;
  const none = { kind: 'none' };
  expect(answerFraming('GET', 200, length)).toBe(length);
  expect(answerFraming('GET', 200, chunked)).toBe(chunked);
  expect(answerFraming('HEAD', 200, length)).toBe(length);
  expect(answerFraming('GET', 304, length)).toBe(length);
  expect(answerFraming('HEAD', 200, chunked)).toEqual(none);
  expect(answerFraming('GET', 304, chunked)).toEqual(none);
  expect(answerFraming('GET', 204, length)).toEqual(none);
  expect(answerFraming('DELETE', 204, chunked)).toEqual(none);
});
