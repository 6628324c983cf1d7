import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { expect, it } from 'vitest';
import house from '../../scripts/eslint/house.ts';

/** What the rule says about a piece of code. */
function said(code: string, names: readonly string[] = []): string[] {
  return new Linter()
    .verify(
      code,
      [
        {
          files: ['**/*.ts'],
          languageOptions: { parser: tseslint.parser },
          plugins: { house },
          rules: { 'house/milliseconds': ['error', { names }] },
        },
      ],
      { filename: 'a.ts' },
    )
    .map(({ message }) => message.split(' ')[0] ?? '');
}

it.each([
  ['the delay of a timer', 'setTimeout(run, grace)', ['grace']],
  ['a delay that is a member', 'clock.setTimeout(run, this.#options.grace)', ['grace']],
  [
    'each part of a delay',
    'setInterval(run, Math.min(most, isSlow ? slow : quick) + rest)',
    ['most', 'slow', 'quick', 'rest'],
  ],
  ['the time of a signal', 'AbortSignal.timeout(limit)', ['limit']],
  [
    'a constant that its comment calls milliseconds',
    '/** A pause, in milliseconds. */\nconst pause = 5;',
    ['pause'],
  ],
  ['an exported one', '/** Milliseconds. */\nexport const pause = 60 * 1000;', ['pause']],
  [
    'a property',
    'interface A {\n/** How long, in milliseconds. */\nreadonly limit?: number | null }',
    ['limit'],
  ],
  ['a private member', 'class A {\n/** How long, in milliseconds. */\n#rest = 5 }', ['rest']],
  [
    'a parameter',
    '/** @param rest how long it waits, in milliseconds */\nfunction f(rest: number) {}',
    ['rest'],
  ],
  [
    'a word of a sentence',
    '/** Ends after `limit` milliseconds. */\nfunction f(limit: number) {}',
    ['limit'],
  ],
])('a number of milliseconds needs its unit: %s', (_what, code, names) => {
  expect(said(code)).toEqual(names);
});

it.each([
  ['one that says so', 'setTimeout(run, graceMs); setInterval(run, ms)'],
  ['a number and a call', 'setTimeout(run, 5); setTimeout(run, pause())'],
  ['a difference of two points in time', 'setTimeout(run, until - now)'],
  ['seconds that are turned into it', 'setTimeout(run, seconds * 1000)'],
  ['a point in time', '/** When it began, in milliseconds since 1970. */\nconst began = 5;'],
  ['what is no number', '/** In milliseconds. */\nconst times = [1, 2];'],
  ["a socket's own timer", 'socket.setTimeout(idleMs, end)'],
  ["a name of Kong's", 'interface A {\n/** Milliseconds. */\nread_timeout: number }'],
])('nothing else does: %s', (_what, code) => {
  expect(said(code)).toEqual([]);
});

it('names that users write are passed over', () => {
  expect(said('setTimeout(run, options.phaseTimeout)', ['phaseTimeout'])).toEqual([]);
});
