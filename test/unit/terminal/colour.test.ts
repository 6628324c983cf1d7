import { describe, expect, it } from 'vitest';
import { hasColour, palette } from '../../../src/terminal/colour.ts';

const terminal = { isTTY: true };
const pipe = {};

describe('colours', () => {
  it.each<[string, object, Record<string, string>, boolean]>([
    ['are for terminals', terminal, { TERM: 'xterm' }, true],
    ['are not for pipes', pipe, { TERM: 'xterm' }, false],
    ['are not for dumb terminals', terminal, { TERM: 'dumb' }, false],
    ['are switched off by NO_COLOR, whatever its value', terminal, { NO_COLOR: '0' }, false],
    ['are not switched off by an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
    ['are switched on for a pipe by FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, true],
    ['are switched off by FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
    ['are off where both are set', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('%s', (_what, stream, environment, expected) => {
    expect(hasColour(stream, environment)).toBe(expected);
  });

  it('leave a text as it is where there are none', () => {
    expect(palette(false).red('text')).toBe('text');
    expect(palette(true).red('text')).toBe('\u001b[31mtext\u001b[39m');
  });
});
