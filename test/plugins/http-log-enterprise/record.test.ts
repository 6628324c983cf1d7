import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonObject } from '../../../plugins/http-log-enterprise/record/document.ts';
import { statusTest } from '../../../plugins/http-log-enterprise/record/filter.ts';
import { formatNumber, withKongNumbers } from '../../../plugins/http-log-enterprise/record/numbers.ts';
import { setPath, splitPath } from '../../../plugins/http-log-enterprise/record/set-path.ts';
import { decodeRaw, encodeRaw, toRaw } from '../../../plugins/http-log-enterprise/record/text.ts';
import { deliveries, recordOf } from './support/records.ts';

describe('numbers', () => {
  it('are written with the 14 digits of http-log', () => {
    expect(withKongNumbers('{"a":1.795282133107123e+18,"b":69.00000000000001,"c":123}')).toBe(
      '{"a":1.7952821331071e+18,"b":69,"c":123}',
    );
  });

  it('inside strings stay as they are', () => {
    const record = String.raw`{"u":"/x?a=1234567890123456789","\":1234567890123456789,":"y"}`;
    expect(withKongNumbers(record)).toBe(record);
  });

  it.each([
    '{"h":":1795282133107123456,x"}',
    '{":1795282133107123456,":1,"h":[":1795282133107123456]"]}',
    String.raw`{"a\\":"\\",":1795282133107123456,b":""}`,
  ])('inside strings that begin with a colon stay as they are: %s', (record) => {
    expect(withKongNumbers(record)).toBe(record);
  });

  it('are cut behind keys that end with a colon, a comma, a brace or a bracket', () => {
    expect(withKongNumbers('{"a:":1795282133107123456,"b,":[{"{":-1795282133107123456}]}')).toBe(
      '{"a:":1.7952821331071e+18,"b,":[{"{":-1.7952821331071e+18}]}',
    );
  });

  it('are cut in lists too, and beside texts that look like them', () => {
    expect(
      withKongNumbers(
        '{"l":[1.795282099103067e+18,1.5,0.12345678901234567],"s":"a,1.795282099103067e+18,b"}',
      ),
    ).toBe('{"l":[1.7952820991031e+18,1.5,0.12345678901235],"s":"a,1.795282099103067e+18,b"}');
  });

  it('are cut wherever they are, and nothing else is', () => {
    const long = (text: string) =>
      text
        .replace(/e.*/, '')
        .replace(/^-?0?\.?0*/, '')
        .replace('.', '').length > 14;
    const number = (value: number) => (long(String(value)) ? formatNumber(value) : JSON.stringify(value));
    const write = (value: unknown): string => {
      if (typeof value === 'number') return number(value);
      if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
      if (typeof value !== 'object' || value === null) return JSON.stringify(value);
      return `{${Object.entries(value)
        .map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`)
        .join(',')}}`;
    };
    const tricky = fc.oneof(
      fc.constantFrom(
        ',1.795282099103067e+18,',
        '\\',
        '"',
        '":1795282099103067123,',
        '\\":1795282099103067123}',
        '[',
      ),
      fc.string(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        tricky,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(tricky, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const record = { value };
        expect(withKongNumbers(JSON.stringify(record))).toBe(write(record));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    [0, '0'],
    [1e15, '1e+15'],
    [1795282133106, '1795282133106'],
    [0.00001234, '1.234e-05'],
    [-2.5, '-2.5'],
    // Exactly halfway, as glibc rounds them: to the even digit.
    [123456789012345, '1.2345678901234e+14'],
    [123456789012355, '1.2345678901236e+14'],
    [-1795282133107250, '-1.7952821331072e+15'],
    [12345678901234.5, '12345678901234'],
    [12345678901235.5, '12345678901236'],
    [99999999999999.5, '1e+14'],
    [1234567890123.25, '1234567890123.2'],
    // And beside it.
    [12345678901234.502, '12345678901235'],
    [0.123456789012345, '0.12345678901234'],
    [1795282099103050000, '1.795282099103e+18'],
  ])('%d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('keep the length that Kong announced for its deliveries', () => {
    for (const { body, headers } of deliveries.deliveries) {
      const text = withKongNumbers(
        JSON.stringify(body).replaceAll(/1795282133\d{9}\b/g, (n) => formatNumber(Number(n))),
      );
      expect(text.length).toBe(Number(headers['content-length']));
    }
  });
});

describe('the editable record', () => {
  it.each(['protobuf-log-phase', 'protobuf-stream-preread', 'protobuf-binary-header'])(
    'gives %s back byte for byte when everything was opened and nothing changed',
    (transcript) => {
      let bytes: Buffer;
      try {
        bytes = recordOf(transcript);
      } catch {
        // That session had no log phase: a record with a foreign byte stands for it.
        bytes = Buffer.from('{"request":{"headers":{"x":"a\xffb"},"n":1.50}}', 'latin1');
      }
      const record = new JsonObject(toRaw(bytes));
      for (const key of record.keys()) record.object(key)?.object('headers');
      expect(Buffer.from(record.toRaw(), 'latin1').equals(bytes)).toBe(true);
    },
  );

  it('does not lose any JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value);
        const record = new JsonObject(toRaw(text));
        for (const key of record.keys()) record.child(key);
        expect(JSON.parse(decodeRaw(record.toRaw()))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('round-trips every byte', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const raw = toRaw(bytes);
        expect(encodeRaw(decodeRaw(raw))).toBe(raw);
      }),
    );
  });
});

describe('custom field names', () => {
  it('nest at dots and keep escaped ones', () => {
    expect(splitPath('route.extra')).toEqual(['route', 'extra']);
    expect(splitPath(String.raw`a\.b`)).toEqual(['a\\', 'b']);
    expect(splitPath('.a.b')).toEqual(['.a', 'b']);
  });

  it('make the tables they need, and remove with undefined', () => {
    const record = new JsonObject('{"service":{"id":"s"},"n":1.50}');
    setPath(record, 'a.b', '"x"');
    setPath(record, 'service', null);
    expect(record.toRaw()).toBe('{"n":1.50,"a":{"b":"x"}}');
  });

  it('lead into a list, as into any table of Lua', () => {
    const record = new JsonObject('{"tries":[{"ip":"::1"},{"ip":"::2"}]}');
    setPath(record, 'tries.extra', '"x"');
    expect(record.toRaw()).toBe('{"tries":{"1":{"ip":"::1"},"2":{"ip":"::2"},"extra":"x"}}');
  });

  it('do not lead through a value', () => {
    expect(() => setPath(new JsonObject('{"n":1}'), 'n.x', '1')).toThrow(/Subkey 'n' is not a table/);
  });
});

it('status patterns', () => {
  expect([404, 499, 500].filter(statusTest('4xx'))).toEqual([404, 499]);
  expect([404, 405].filter(statusTest('404'))).toEqual([404]);
  expect([499, 500, 599].filter(statusTest('500-599'))).toEqual([500, 599]);
});
