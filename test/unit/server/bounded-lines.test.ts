import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readLines } from '../../../src/server/hooks/bounded-lines.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('lines of a child process come as they were printed, however they were cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(50)), async (lines, cuts) => {
      const input = new PassThrough();
      const found: string[] = [];
      readLines(input, (line) => found.push(line));
      const wanted = lines.map((line) => line.replaceAll(/[\r\n]/g, ' '));
      const bytes = Buffer.from(wanted.map((line) => `${line}\n`).join(''));
      let at = 0;
      for (const length of cuts) {
        input.write(bytes.subarray(at, at + length));
        at += length;
      }
      input.end(bytes.subarray(at));
      await tick();
      expect(found).toEqual(wanted);
    }),
    { numRuns: 30 },
  );
});

it('what is printed without an end is not kept: the longest piece is a line', async () => {
  const input = new PassThrough();
  const found: string[] = [];
  readLines(input, (line) => found.push(line), 1000);
  for (let n = 0; n < 100; n++) input.write('x'.repeat(999));
  await tick();
  expect(found.join('').length).toBeGreaterThanOrEqual(98_000);
  expect(Math.max(...found.map(({ length }) => length))).toBe(1000);
  input.end('y');
  await tick();
  expect(found.join('')).toBe(`${'x'.repeat(99_900)}y`);
});
