import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  decodeComponent,
  encodeForm,
  firstQueryValue,
  parseQuery,
  removeQueryArg,
} from '../../../src/pdk/bodies/query.ts';
import { decodeText, encodeText } from '../../../src/base/text.ts';

const recorded = 'foo=bar&foo=baz&flag&empty=&apikey=alicekey';

describe('query arguments as nginx reads them', () => {
  it('what Kong 3.9.3 gave for the recorded query', () => {
    expect(parseQuery(recorded)).toEqual({ foo: ['bar', 'baz'], flag: true, empty: '', apikey: 'alicekey' });
    expect(firstQueryValue(recorded, 'foo')).toBe('bar');
    expect(firstQueryValue(recorded, 'flag')).toBe(true);
    expect(firstQueryValue(recorded, 'empty')).toBe('');
    expect(firstQueryValue(recorded, 'nope')).toBeNull();
  });

  it('reads spaces, percent signs that stand for themselves, and bytes that are not UTF-8', () => {
    expect(parseQuery('try=%search%%20%again%&a+b=c%2Bd')).toEqual({ try: '%search% %again%', 'a b': 'c+d' });
    expect(encodeText(decodeComponent('%ff%C3%A9%C3'))).toEqual(Buffer.from([0xff, 0xc3, 0xa9, 0xc3]));
    expect(decodeComponent(`${decodeText(Buffer.from([0xc3]))}%A9`)).toBe('é');
  });

  it('does not count arguments without a name, and keeps further equals signs', () => {
    expect(parseQuery('&&=x&a=b=c&')).toEqual({ a: 'b=c' });
    expect(parseQuery('')).toEqual({});
    expect(parseQuery('a&a=1')).toEqual({ a: [true, '1'] });
  });

  it('looks at the first 100 arguments unless told otherwise', () => {
    const many = Array.from({ length: 101 }, (_, at) => `k${at}=v`).join('&');
    expect(Object.keys(parseQuery(many))).toHaveLength(100);
    expect(firstQueryValue(many, 'k100')).toBeNull();
    expect(Object.keys(parseQuery(many, 1000))).toHaveLength(101);
  });

  it('holds a name such as __proto__ as plain data', () => {
    expect(Object.keys(parseQuery('__proto__=1'))).toEqual(['__proto__']);
  });

  it('removes an argument as Kong 3.9.3 did', () => {
    expect(removeQueryArg(recorded, 'foo')).toBe('flag=&empty=&apikey=alicekey');
    expect(removeQueryArg('a=1+2&b=%ff', 'x')).toBe('a=1%202&b=%FF');
  });

  it('reads back every form that it wrote', () => {
    const value = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed());
    const name = value.filter((text) => text !== '');
    const fields = fc.dictionary(name, fc.oneof(value, fc.array(value, { minLength: 2, maxLength: 4 })));
    fc.assert(
      fc.property(fields, (given) => {
        expect(parseQuery(encodeForm(given), 1000)).toEqual({ ...given });
      }),
    );
  });

  it('never throws, and keeps every byte', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const raw = decodeText(Buffer.from(bytes));
        parseQuery(raw);
        const written = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        expect(encodeText(decodeComponent(written))).toEqual(Buffer.from(bytes));
      }),
    );
  });
});
