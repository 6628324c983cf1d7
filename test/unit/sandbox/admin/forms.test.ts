import { describe, expect, it, vi } from 'vitest';
import { parseBody } from '../../../../src/sandbox/admin/body.ts';
import { decodeForm } from '../../../../src/sandbox/admin/form.ts';

const pairs = (text: string): URLSearchParams => new URLSearchParams(text);

/** How many keys Object.keys has listed while something ran. */
function keysListed(run: () => void): number {
  const spy = vi.spyOn(Object, 'keys');
  try {
    run();
    return spy.mock.results.reduce((sum, { value }) => sum + (value as string[]).length, 0);
  } finally {
    spy.mockRestore();
  }
}

describe('a form', () => {
  it.each([
    ['a.b[c][]=1&a.b[c][]=2', { a: { b: { c: ['1', '2'] } } }],
    ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
    ['a[1]=x&a[2]=y', { a: ['x', 'y'] }],
    ['a[b=1', { a: { b: '1' } }],
    ['[=1', { '[': '1' }],
    ['a]b..c=1', { a: { b: { c: '1' } } }],
    ['a[b.c]=1&a[]=2', { a: { 'b.c': '1', 2: '2' } }],
  ])('%s', (text, expected) => {
    expect(decodeForm(pairs(text))).toEqual(expected);
  });

  it.each(['a[]=', 'a=', 'a.b[]='])('of many times %s lists no keys again and again', (unit) => {
    const form = (count: number) => pairs(`${unit}&`.repeat(count));
    expect(keysListed(() => decodeForm(form(2000)))).toBeLessThan(100);
  });

  it('of brackets that nothing closes is read once', { timeout: 5000 }, () => {
    expect(decodeForm([['['.repeat(150_000), '1']])).toEqual({ ['['.repeat(150_000)]: '1' });
  });

  it('whose names nest too deep is refused', () => {
    const raw = Buffer.from(`a${'.a'.repeat(20_000)}=1`);
    expect(parseBody(raw, 'application/x-www-form-urlencoded', false)).toMatchObject({ status: 400 });
  });
});

describe('a multipart body', () => {
  it('of names of headers in one line is read once', { timeout: 5000 }, () => {
    const raw = Buffer.from(`--x\r\n${'content-disposition:'.repeat(20_000)}\r\n\r\nv\r\n--x--`);
    expect(parseBody(raw, 'multipart/form-data; boundary=x', false)).toMatchObject({ body: {} });
  });

  it('gives the fields of its parts', () => {
    const raw = Buffer.from(
      '--x\r\nX-A: b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n\r\nno head\r\n--x--',
    );
    expect(parseBody(raw, 'multipart/form-data; boundary=x', false)).toMatchObject({ body: { a: '1' } });
  });
});

describe('JSON', () => {
  it.each(['[', '{"a":'])('that nests deeper than Kong reads is refused: %s', (open) => {
    const close = open === '[' ? ']' : '}';
    const nested = (depth: number) => Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`);
    expect(parseBody(nested(100_000), 'application/json', false)).toMatchObject({
      status: 400,
      body: { message: 'Cannot parse JSON body' },
    });
    expect(parseBody(nested(900), 'application/json', false)).toHaveProperty('raw');
  });
});
