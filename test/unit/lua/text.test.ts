import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLuaText, encodeLuaText } from '../../../src/lua/text.ts';

const bytes = (...list: number[]): Buffer => Buffer.from(list);

describe('text between JavaScript and Lua', () => {
  it('keeps any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (some) => {
        expect(encodeLuaText(decodeLuaText(Buffer.from(some)))).toEqual(Buffer.from(some));
      }),
    );
  });

  it('keeps any text, with its emoji and its U+FFFD', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (some) => {
        expect(decodeLuaText(encodeLuaText(some))).toBe(some);
      }),
    );
    expect(encodeLuaText('a\u{1f600}\udc80b')).toEqual(bytes(0x61, 0xf0, 0x9f, 0x98, 0x80, 0x80, 0x62));
  });

  it.each([
    ['a byte that starts nothing', bytes(0x80), '\udc80'],
    ['an overlong slash', bytes(0xc0, 0xaf), '\udcc0\udcaf'],
    ['a surrogate of UTF-16', bytes(0xed, 0xa0, 0x80), '\udced\udca0\udc80'],
    ['a sequence that is cut off', bytes(0x61, 0xe2, 0x82), 'a\udce2\udc82'],
    ['a sequence beyond the last code point', bytes(0xf4, 0x90, 0x80, 0x80), '\udcf4\udc90\udc80\udc80'],
    ['a first byte that UTF-8 does not have', bytes(0xf5, 0x80, 0x80, 0x80), '\udcf5\udc80\udc80\udc80'],
    ['good text around it', bytes(0xc3, 0xa9, 0xff, 0xf0, 0x9f, 0x98, 0x80), 'é\udcff\u{1f600}'],
  ])('shows byte b of what is not UTF-8 as U+DC00 + b: %s', (_what, given, text) => {
    expect(decodeLuaText(given)).toBe(text);
    expect(encodeLuaText(text)).toEqual(given);
  });

  it('has U+FFFD for half of a pair that stands for no byte', () => {
    expect(encodeLuaText('\ud83dx')).toEqual(Buffer.from('\ufffdx'));
    expect(encodeLuaText('\udc00')).toEqual(Buffer.from('\ufffd'));
  });
});
