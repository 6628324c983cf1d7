import { expect, it } from 'vitest';
import { Edits } from '../../../src/lua/syntax/edits.ts';

it('edits are applied by their places, in whatever order they were noted', () => {
  const edits = new Edits();
  edits.replace(4, 5, 'Y');
  edits.replace(0, 1, 'X');
  expect(edits.apply('a + b')).toBe('X + Y');
});

it('at one place, what closes comes before what opens', () => {
  const edits = new Edits();
  edits.open(1, '(');
  edits.close(1, ')');
  expect(edits.apply('ab')).toBe('a)(b');
});

it('of two pairs around the same text, the one that was noted first is inside', () => {
  const edits = new Edits();
  edits.open(0, 'inner(');
  edits.close(1, ')');
  edits.open(0, 'outer[');
  edits.close(1, ']');
  expect(edits.apply('a')).toBe('outer[inner(a)]');
});

it('a cancelled edit changes nothing, and one that was changed says its last word', () => {
  const edits = new Edits();
  edits.open(0, 'x').cancelled = true;
  edits.open(1, 'y').text = 'z';
  expect(edits.apply('ab')).toBe('azb');
});
