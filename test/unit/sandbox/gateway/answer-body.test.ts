import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerBody, BrokenAnswer } from '../../../../src/sandbox/gateway/upstream/answer-body.ts';
import type { AnswerFraming } from '../../../../src/kong-end/request/upstream-answer-head.ts';
import { SocketReader } from '../../../../src/sandbox/gateway/upstream/socket-reader.ts';

interface Read {
  readonly pieces: number[];
  readonly content: Buffer;
  /** What came after the body; null where it never ended. */
  readonly rest: number | null;
  readonly error: unknown;
}

/** Reads a body from a connection that sends these bytes and ends. */
async function read(framing: AnswerFraming, sent: readonly Buffer[], headLength = 100): Promise<Read> {
  const stream = new PassThrough();
  const reader = new SocketReader(stream as unknown as Socket);
  for (const bytes of sent.slice(1)) stream.write(bytes);
  stream.end();
  const content: Buffer[] = [];
  let rest: number | null = null;
  let error: unknown = null;
  const first = sent[0] ?? Buffer.alloc(0);
  try {
    const onEnd = (left: number): void => void (rest = left);
    for await (const piece of answerBody({ framing, first, headLength, reader, readTimeoutMs: 1000, onEnd }))
      content.push(piece);
  } catch (thrown) {
    error = thrown;
  }
  return { pieces: content.map((each) => each.length), content: Buffer.concat(content), rest, error };
}

describe('the body of an answer', () => {
  test('with a length is handed on when a buffer is full, and when it is whole', async () => {
    const body = Buffer.alloc(10_000, 'x');
    const { pieces, content, rest } = await read(10_000, [body.subarray(0, 5000), body.subarray(5000)]);
    // The first buffer holds the head, too.
    expect(pieces).toEqual([4096 - 100, 10_000 - 4096 + 100]);
    expect(content.equals(body)).toBe(true);
    expect(rest).toBe(0);
  });

  test('that breaks off is lost from the last full buffer on', async () => {
    const { content, error, rest } = await read(10_000, [Buffer.alloc(0), Buffer.alloc(5000, 'x')]);
    expect(content).toHaveLength(4096 - 100);
    expect(error).toBeInstanceOf(BrokenAnswer);
    expect(rest).toBeNull();
  });

  test('until the end of the connection is all that comes', async () => {
    expect(await read('close', [Buffer.from('ab'), Buffer.from('cd')])).toMatchObject({
      content: Buffer.from('abcd'),
      rest: 0,
      error: null,
    });
  });

  test.each(['none', 0] as const)('that is not there (%s) leaves the bytes after it', async (framing) => {
    expect(await read(framing, [Buffer.from('more')])).toMatchObject({ pieces: [], rest: 4, error: null });
  });

  test('is the same however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(9000), fc.array(fc.nat(3000), { maxLength: 8 }), async (length, cuts) => {
        const body = Buffer.alloc(length, 'abcdefg');
        const pieces: Buffer[] = [Buffer.alloc(0)];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(body.subarray(at, at + cut));
          at += cut;
        }
        pieces.push(body.subarray(Math.min(at, length)), Buffer.from('!'));
        const { content, rest, error } = await read(length, pieces);
        expect(error).toBeNull();
        expect(content.equals(body)).toBe(true);
        expect(rest).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  test('whose chunks have no end is given up', async () => {
    const { error } = await read('chunked', [Buffer.from('1;'), Buffer.alloc(100_000, 'x')]);
    expect(error).toBeInstanceOf(BrokenAnswer);
  });
});
