import { expect, it } from 'vitest';
import { table, time } from '../../../../src/cli/hooks/table.ts';

it('columns are as wide as their longest cell, and no line ends in blanks', () => {
  expect(
    table(
      ['id', 'state'],
      [
        ['1', 'delivered'],
        ['long-one', 'dead'],
      ],
    ).split('\n'),
  ).toEqual(['id        state', '1         delivered', 'long-one  dead']);
});

it('what is not there is a dash, and what is not text is JSON', () => {
  expect(table(['a', 'b', 'c', 'd', 'e'], [[null, undefined, '', 0, { x: [1] }]]).split('\n')[1]).toBe(
    '-  -  -  0  {"x":[1]}',
  );
});

it('the first column is never cut, since it names the row; others are, at 60 characters', () => {
  const long = 'x'.repeat(100);
  const [, row = ''] = table(['id', 'error'], [[long, long]]).split('\n');
  expect(row).toBe(`${long}  ${'x'.repeat(59)}…`);
});

it('a cell is one line, whatever a target has answered', () => {
  const lines = table(['id', 'error'], [['1', 'two\nlines\u001b[31m']]).split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[1]).not.toContain('\u001b');
});

it('a time is shown in UTC to the second, and none where there is none', () => {
  expect(time(1_700_000_000.9)).toBe('2023-11-14 22:13:20');
  expect(time(0)).toBe('1970-01-01 00:00:00');
  expect(time(null)).toBeNull();
});
