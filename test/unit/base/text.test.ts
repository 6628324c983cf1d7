import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText, encodeText, textByteLength, writeText } from '../../../src/base/text.ts';

test('valid UTF-8 is what it always was', () => {
  for (const text of [
    '',
    'a',
    'grün',
    '€',
    '😀',
    'x'.repeat(100) + 'é',
    'real \uFFFD sign',
    'y'.repeat(40) + '\uFFFD',
  ]) {
    expect(decodeText(Buffer.from(text))).toBe(text);
    expect(encodeText(text)).toEqual(Buffer.from(text));
  }
});

test('a header of Kong with bytes that are not UTF-8', () => {
  const bytes = Buffer.from('fffe41c3a9', 'hex');
  expect(decodeText(bytes)).toBe('\uDCFF\uDCFEAé');
  expect(encodeText('\uDCFF\uDCFEAé')).toEqual(bytes);
});

test('encodings that UTF-8 forbids stay bytes', () => {
  for (const hex of [
    'c080',
    'eda080',
    'edb280',
    'f4908080',
    'e282',
    'f09f98',
    'f8888080',
    '80',
    'e08080',
    'c3',
  ]) {
    const bytes = Buffer.from(hex, 'hex');
    expect(decodeText(bytes)).toHaveLength(bytes.length);
    expect(encodeText(decodeText(bytes))).toEqual(bytes);
  }
});

test('any bytes survive being read and written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 20 }), (array, start) => {
      const bytes = Buffer.from(array);
      const from = Math.min(start, bytes.length);
      const text = decodeText(bytes, from);
      const target = Buffer.alloc(textByteLength(text) + 3);
      expect(writeText(text, target, 3)).toBe(bytes.length - from);
      expect(target.subarray(3)).toEqual(bytes.subarray(from));
      expect(encodeText(text)).toEqual(bytes.subarray(from));
    }),
    { numRuns: 500 },
  );
});

test('any text has the length that it says, and a lone surrogate that escapes no byte becomes U+FFFD', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 0xffff }), { maxLength: 60 }), (units) => {
      const text = String.fromCharCode(...units);
      expect(encodeText(text).length).toBe(textByteLength(text));
    }),
    { numRuns: 500 },
  );
  expect(encodeText('\uD800!')).toEqual(Buffer.from('\uFFFD!'));
});
