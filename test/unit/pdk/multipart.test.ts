import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { encodeMultipart, parseMultipart } from '../../../src/pdk/bodies/multipart.ts';
import { decodeText } from '../../../src/base/text.ts';

const type = 'multipart/form-data; boundary=B';
const form = (...lines: string[]) => Buffer.from(lines.join('\r\n'));

describe('multipart forms', () => {
  it('reads fields, files, repeated names and line breaks within values', () => {
    const body = form(
      'preamble',
      '--B',
      'Content-Disposition: form-data; name="a"',
      '',
      'one\r\ntwo',
      '--B',
      'content-disposition: form-data; name="f"; filename="x.bin"',
      'Content-Type: application/octet-stream',
      '',
      '--Binary',
      '--B',
      'Content-Disposition: form-data; name=a',
      '',
      '',
      '--B--',
      '',
    );
    expect(parseMultipart(body, type)).toEqual({ a: ['one\r\ntwo', ''], f: '--Binary' });
  });

  it.each([
    ['no boundary', form('--B', '--B--'), 'multipart/form-data'],
    ['another boundary', form('--C', '--C--'), type],
    ['an end in the middle', form('--B', 'Content-Disposition: form-data; name="a"', '', 'x'), type],
  ])('refuses %s', (_what, body, contentType) => {
    expect(() => parseMultipart(body, contentType)).toThrowError(
      expect.objectContaining({ code: 'PDK_BODY_MALFORMED' }) as Error,
    );
  });

  it('takes another boundary when a value contains the given one', () => {
    const { body, contentType } = encodeMultipart({ a: 'x\r\n--B\r\ny' }, type, () => '42');
    expect(contentType).toBe('multipart/form-data; boundary=42');
    expect(parseMultipart(body, contentType)).toEqual({ a: 'x\r\n--B\r\ny' });
  });

  it('reads back everything that it wrote, bytes that are not UTF-8 too', () => {
    const value = fc.uint8Array().map((bytes) => decodeText(Buffer.from(bytes)));
    const name = fc.string({ minLength: 1 }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.dictionary(name, value, { minKeys: 1 }), (fields) => {
        const { body, contentType } = encodeMultipart(fields, 'multipart/form-data', () => '7351');
        expect(parseMultipart(body, contentType)).toEqual({ ...fields });
      }),
    );
  });

  it('never throws anything but PDK_BODY_MALFORMED', () => {
    const piece = fc.constantFrom(
      '--B',
      '\r\n',
      '\n',
      '--',
      'Content-Disposition: form-data; name="a"',
      'x',
      '"',
      ';',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          parseMultipart(Buffer.from(pieces.join('')), type);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'PDK_BODY_MALFORMED' });
        }
      }),
    );
  });
});
