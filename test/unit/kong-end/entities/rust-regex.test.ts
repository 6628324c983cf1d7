import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RustRegex, rustRegexError } from '../../../../src/kong-end/entities/rust-regex.ts';

/** Expressions that JavaScript and Rust read alike, without names. */
const shared = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b', 'é', '[ab]', '[^a]', '\\d', '\\.', '[(]', '[\\]a]', '\\(', '.'),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => a + b),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(?:${a}|${b})`),
    tie('expression').map((a) => `(${a})`),
    // What may be empty is optional in another way in JavaScript.
    fc.constantFrom('(?:a)?', '(b)?', '(?:[^b])?', '((a)|b)?', 'a*', '(?:ab)+?', '(é){1,2}'),
  ),
})).expression;

describe('what an expression finds', () => {
  it('is what JavaScript finds where both read the expression alike', () => {
    fc.assert(
      fc.property(shared, fc.stringMatching(/^[ab(.\]1é]{0,8}$/), (source, text) => {
        const wanted = new RegExp(source, 's').exec(text);
        const found = new RustRegex(`(?s)${source}`).exec(text);
        expect(found?.unnamed ?? null).toEqual(wanted?.map((each: string | undefined) => each ?? '') ?? null);
        expect(new RustRegex(`(?s)${source}`).test(text)).toBe(wanted !== null);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['(a)?(?P<n>b)?(c)', 'c', ['c', '', '', 'c'], {}],
    ['(a)?(?P<n>b)?(c)', 'bc', ['bc', '', 'b', 'c'], { n: 'b' }],
    ['[]()]+(a)?(b)', '(]b', ['(]b', '', 'b'], {}],
    ['[^](]+(a)?(b)', 'xb', ['xb', '', 'b'], {}],
    ['[[:alpha:](]+-(a)?(b)', 'x(-b', ['x(-b', '', 'b'], {}],
    ['\\((a)?\\[(b)', '([b', ['([b', '', 'b'], {}],
    ['(?i:(A))(?<m>é)', 'aé', ['aé', 'a', 'é'], { m: 'é' }],
    ['(?P<group_2>a)|(b)', 'b', ['b', '', 'b'], {}],
    ['(?P<__proto__>a)', 'a', ['a', 'a'], { ['__proto__']: 'a' }],
  ])(
    '%s in %s: groups keep their numbers, also where others took no part',
    (source, text, unnamed, named) => {
      const found = new RustRegex(source).exec(text);
      expect(found?.unnamed).toEqual(unnamed);
      expect(Object.entries(found?.named ?? {})).toEqual(Object.entries(named));
    },
  );

  it('groups keep their numbers beside comments; where a comment hides them, those that took part are listed', () => {
    expect(new RustRegex('(?x)(a)? # (never)\n(b)').exec('b')?.unnamed).toEqual(['b', '', 'b']);
    expect(new RustRegex('(?x)(a)? # [\n(?P<n>b)').exec('b')).toMatchObject({
      unnamed: ['b', 'b'],
      named: { n: 'b' },
    });
  });
});

describe('an expression that the crate does not take', () => {
  it.each([
    ['(?<=a)b', 'look-around, including look-ahead and look-behind, is not supported'],
    ['(a)\\1', 'backreferences are not supported'],
    ['\\h', 'unrecognized escape sequence'],
    ['a{1000}{1000}', 'Compiled regex exceeds size limit of 10485760 bytes.'],
    ['(', 'unclosed group'],
    ['('.repeat(300) + ')'.repeat(300), 'exceed the maximum number of nested parentheses/brackets (250)'],
  ])('%s has its words', (source, words) => {
    expect(rustRegexError(source)).toContain(words);
    expect(() => new RustRegex(source)).toThrow();
  });

  it('says so on one line, and the crate works on, whatever is tried', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a(){}[\]\\?*+|^$<>:P0-9,&~é-]{0,20}$/), (source) => {
        expect(rustRegexError(source) ?? '').not.toContain('\n');
        expect(new RustRegex('a').test('a')).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
