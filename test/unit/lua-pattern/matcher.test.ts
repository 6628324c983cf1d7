import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPlain, PatternError, PatternMatcher } from '../../../src/lua-pattern/index.ts';
import type { Match } from '../../../src/lua-pattern/index.ts';

/** What `string.match` would return: the captures, or the whole match; positions count from 1. */
function match(pattern: string, text: string, init = 0, limit = 1_000_000): (string | number)[] | null {
  const bytes = Buffer.from(text, 'latin1');
  let left = limit;
  const matcher = new PatternMatcher(bytes, Buffer.from(pattern, 'latin1'), (steps) => {
    left -= steps;
    if (left < 0) throw new PatternError('matching takes too long');
  });
  const found: Match | null = matcher.find(init);
  if (found === null) return null;
  const shown = found.captures.map(({ start, length }) =>
    length === -2 ? start + 1 : bytes.toString('latin1', start, start + length),
  );
  return shown.length > 0 ? shown : [bytes.toString('latin1', found.start, found.end)];
}

describe('a pattern of Lua 5.1', () => {
  it.each([
    ['a single character', 'b', 'abc', ['b']],
    ['any character, but not the end', 'c.', 'abc', null],
    ['a class and its complement', '%a+%A', 'x1 ab-', ['x1']],
    ['a set with a range, and one that takes everything else', '[b-d]+[^b-d]', 'abcde', ['bcde']],
    ['a bracket and a dash as members of a set', '[]-]+', 'a]-b', [']-']],
    ['as much as there is', '<(.*)>', '<a><b>', ['a><b']],
    ['as little as there is', '<(.-)>', '<a><b>', ['a']],
    ['at least one', 'a+', 'bbaab', ['aa']],
    ['one or none', 'colou?r', 'color', ['color']],
    ['from the beginning only', '^b', 'ab', null],
    ['to the end only', 'b$', 'abab', ['b']],
    ['a dollar that is not last, as itself', 'a$b', 'a$b', ['a$b']],
    ['captures in the order of their parentheses', '((%w)(%d))', 'k9', ['k9', 'k', '9']],
    ['positions', '()ll()', 'hello', [3, 5]],
    ['what a capture has held, once more', '(["\'])(.-)%1', `say "it's" now`, ['"', "it's"]],
    ['balanced delimiters', '%b()', 'f(a(b)c)d)', ['(a(b)c)']],
    ['delimiters that are never balanced', '%b()', '((', null],
    ['a frontier between sets', '%f[%w]%w+', '  one two', ['one']],
    ['a frontier at the end of the text', '%w+%f[%W]', 'last', ['last']],
    ['an escaped magic character', '%.', 'a.b', ['.']],
    ['nothing at all', '', 'abc', ['']],
    ['bytes beyond ASCII, one by one', '[\xe9\xe8]+', 'caf\xe9\xe8!', ['\xe9\xe8']],
    ['a zero byte', '%z', 'a\0b', ['\0']],
  ])('matches %s', (_what, pattern, text, expected) => {
    expect(match(pattern, text)).toEqual(expected);
  });

  it('is looked for from a position on, and an anchor means that position', () => {
    expect(match('%d+', '12 34', 2)).toEqual(['34']);
    expect(match('^b', 'ab', 1)).toEqual(['b']);
    expect(match('a', 'a', 1)).toBeNull();
  });

  it('that would take for ever is ended by whoever counts its steps', () => {
    const text = 'a'.repeat(200);
    expect(() => match(`${'a-'.repeat(20)}b`, text, 0, 100_000)).toThrow('matching takes too long');
  });

  it('with an escaped text finds what a plain search finds', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.', '%', '-', '['), maxLength: 30 });
    fc.assert(
      fc.property(
        texts,
        fc.string({ unit: fc.constantFrom('a', 'b', '.', '%', '-', '['), maxLength: 3 }),
        (text, part) => {
          const pattern = part.replace(/\W/g, '%$&');
          const found = match(`()${pattern}`, text);
          const at = findPlain(Buffer.from(text), Buffer.from(part), 0);
          expect(found === null ? -1 : Number(found[0]) - 1).toBe(at);
        },
      ),
    );
  });
});

describe('a plain search', () => {
  it('finds the first place at or after a position, as Buffer.indexOf does', () => {
    const unit = fc.constantFrom('a', 'b');
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 40 }),
        fc.string({ unit, minLength: 1, maxLength: 6 }),
        fc.nat(20),
        (text, part, init) => {
          const from = Math.min(init, text.length);
          expect(findPlain(Buffer.from(text), Buffer.from(part), from)).toBe(
            Buffer.from(text).indexOf(part, from),
          );
        },
      ),
    );
  });

  it.each([
    ['at the end', `${'a'.repeat(60_000)}b`, `${'a'.repeat(30_000)}b`, 30_000],
    ['nowhere', 'a'.repeat(60_000), `${'a'.repeat(30_000)}b`, -1],
    ['at the beginning', `${'ab'.repeat(20_000)}c`, 'ab'.repeat(10_000), 0],
  ])(
    'of a long text that repeats itself finds what stands %s, in a time that is linear',
    (_where, text, part, at) => {
      expect(findPlain(Buffer.from(text), Buffer.from(part), 0)).toBe(at);
    },
  );

  it('for nothing is where it begins', () => {
    expect(findPlain(Buffer.from('abc'), Buffer.alloc(0), 2)).toBe(2);
  });
});
