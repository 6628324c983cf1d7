import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patternProblem, PatternError, PatternMatcher } from '../../../src/lua-pattern/index.ts';

describe('a Lua pattern, without a text', () => {
  it.each([
    ['[abc', "malformed pattern (missing ']')"],
    ['[]', "malformed pattern (missing ']')"],
    ['[^]', "malformed pattern (missing ']')"],
    ['[%]', "malformed pattern (missing ']')"],
    ['a%', "malformed pattern (ends with '%')"],
    ['(a', 'unfinished capture'],
    ['a)', 'invalid pattern capture'],
    ['%1', 'invalid capture index'],
    ['(a%1)', 'invalid capture index'],
    ['(a)%2', 'invalid capture index'],
    ['%bx', 'unbalanced pattern'],
    ['%fa', "missing '[' after '%f' in pattern"],
    ['()'.repeat(33), 'too many captures'],
  ])('%s is malformed', (pattern, problem) => {
    expect(patternProblem(pattern)).toBe(problem);
  });

  it.each([
    '',
    '^',
    '$',
    '[]]',
    '[^]]',
    '[%]]',
    '(a)%1',
    '()',
    '%f[%w]%w+',
    '%b()',
    '^%u[%w_-]*$',
    'a-b*c?',
    '%(',
  ])('%s is none', (pattern) => {
    expect(patternProblem(pattern)).toBeNull();
  });

  it('that is none never fails on a text, except for its size', () => {
    const unit = fc.constantFrom('a', '%', '[', ']', '(', ')', '^', '$', '*', '-', '1', 'b', 'f', '.', '?');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), fc.string({ unit, maxLength: 8 }), (pattern, text) => {
        fc.pre(patternProblem(pattern) === null);
        let steps = 0;
        const spend = (more: number): void => {
          steps += more;
          if (steps > 100_000) throw new PatternError('matching takes too long');
        };
        const matcher = new PatternMatcher(Buffer.from(text), Buffer.from(pattern), spend);
        try {
          matcher.find(0);
        } catch (error) {
          expect((error as Error).message).toMatch(/too (?:complex|long)/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
