import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formPairs } from '../../../src/http/form.ts';

it('reads a form as the URL standard does', () => {
  const piece = fc.constantFrom('&', '=', '%', '+', 'a', 'b', '%41', '%ff', '%c3%a9');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      // A question mark in front would be taken away there.
      const text = `x=1&${pieces.join('')}`;
      expect([...formPairs(text)]).toEqual([...new URLSearchParams(text)]);
    }),
    { numRuns: 500 },
  );
});

it('keeps what is beyond ASCII beside escapes, where Node loses it', () => {
  expect([...formPairs('%c3%a9\u00e9%=\ud800&\ufeff')]).toEqual([
    ['\u00e9\u00e9%', '\ufffd'],
    ['\ufeff', ''],
  ]);
});

it('knows no name but what is written', () => {
  expect([...formPairs('')]).toEqual([]);
  expect([...formPairs('&&')]).toEqual([]);
  expect([...formPairs('?a=b=c&a')]).toEqual([
    ['?a', 'b=c'],
    ['a', ''],
  ]);
});
