import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multipartFields } from '../../../src/http/multipart.ts';

const type = 'multipart/form-data; boundary=b';
const part = (head: string, value: string): string => `--b\r\n${head}\r\n\r\n${value}\r\n`;
const named = (name: string): string => `Content-Disposition: form-data; name="${name}"`;
const fields = (text: string): [string, string][] => multipartFields(Buffer.from(text), type);

describe('the fields of a multipart body', () => {
  it('are those that Node writes, in their order', async () => {
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.stringMatching(/^[a-z.[\]]{1,9}$/), value)), async (given) => {
        const form = new FormData();
        for (const [name, text] of given) form.append(name, text);
        const sent = new Response(form);
        const contentType = sent.headers.get('content-type') ?? '';
        expect(multipartFields(Buffer.from(await sent.arrayBuffer()), contentType)).toEqual(
          [...form.entries()].map(([name, text]) => [name, text]),
        );
      }),
    );
  });

  it('hold files, whose name is not that of the field', () => {
    const head = 'Content-Type: text/yaml\r\nContent-Disposition: form-data; filename="x"; name="config"';
    expect(fields(`${part(head, 'a: 1\n')}--b--\r\n`)).toEqual([['config', 'a: 1\n']]);
  });

  it('end with the closing delimiter, or with the body', () => {
    expect(fields(`${part(named('a'), '1')}--b--\r\n${part(named('b'), '2')}`)).toEqual([['a', '1']]);
    expect(fields(`--b\r\n${named('a')}\r\n\r\n1`)).toEqual([['a', '1']]);
  });

  it('may hold the boundary within a line', () => {
    expect(fields(`${part(named('a'), 'x--b--y')}--b--\r\n`)).toEqual([['a', 'x--b--y']]);
  });

  it('are none without a boundary, a name or an end of headers', () => {
    expect(multipartFields(Buffer.from(part(named('a'), '1')), 'multipart/form-data')).toEqual([]);
    expect(fields(`${part('Content-Type: text/plain', '1')}--b\r\n${named('a')}`)).toEqual([]);
  });
});
