import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KongTsError } from '../../../../src/base/errors.ts';
import { luaMatch, luaMatches } from '../../../../src/kong-end/schema/lua-pattern.ts';

describe('Lua patterns', () => {
  test.each([
    ['GET', '^%u+$', true],
    ['Get', '^%u+$', false],
    ['a-b', '^[%w%-]+$', true],
    ['a_b', '^[%w%-]+$', false],
    ['Content-Length', '^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$', true],
    ['1.2.3', '^%d+[%.%d]*$', true],
    ['*.example.com', '^%*%.', true],
    ['exa*mple', '^[^*]*%*?[^*]*$', true],
    ['e*a*e', '^[^*]*%*?[^*]*$', false],
    ['aXb', 'a.b', true],
    ['a.b', 'a%.b', true],
    ['f(a(b)c)d', 'f%b()d$', true],
    ['f(a(b)cd', 'f%b()d$', false],
    ['THE (quick) fox', '%f[%a]%a+%f[%A]', true],
    ['abab', '^(ab)%1$', true],
    ['abac', '^(ab)%1$', false],
    ['<a><b>', '^<(.-)><(.-)>$', true],
    ['x]y', '[]]', true],
    ['a-z', '[a%-z]-z', true],
    ['', '^$', true],
    ['$', '$$', true],
    ['naïve', '^[%w\u0080-\u00ff]+$', true],
    ['tab\there', '%s', true],
    ['x', '[^%s]', true],
  ])('%s matches %s: %s', (text, pattern, expected) => {
    expect(luaMatches(text, pattern)).toBe(expected);
  });

  test('answers captures and positions', () => {
    expect(luaMatch('key = value', '^(%w+)%s*=%s*(%w+)$')).toEqual(['key', 'value']);
    expect(luaMatch('hello', '()ll()')).toEqual(['3', '5']);
    expect(luaMatch('hello', 'l+')).toEqual(['ll']);
  });

  test.each(['%', '[a', '(a', '%b', 'a)'])('a malformed pattern is an error: %s', (pattern) => {
    expect(() => luaMatches('aaaa', pattern)).toThrow(KongTsError);
  });

  test('a text matches itself when every byte is escaped', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const pattern = text.replace(/[!-/:-@[-`{-~]/g, (char) => `%${char}`);
        return luaMatches(text, `^${pattern}$`);
      }),
    );
  });

  test.each(['%b()x', '%(*x', '(%(*)%1x'])('every byte that %s looks at is counted', (pattern) => {
    expect(() => luaMatches('('.repeat(200_000), pattern)).toThrow(/takes too long/);
  });

  test('a pattern that would take forever is given up', () => {
    expect(() => luaMatches('a'.repeat(5000), `${'.-'.repeat(30)}b$`)).toThrow(/takes too long|too complex/);
  });
});
