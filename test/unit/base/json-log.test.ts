import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { jsonLines } from '../../../src/base/json-log.ts';
import type { JsonLogOptions } from '../../../src/base/json-log.ts';

const levels = ['low', 'middle', 'high'] as const;
type Level = (typeof levels)[number];

/** Writes to a file, and says which objects stand in its lines at once. */
function logger(options: Partial<JsonLogOptions<Level>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-log-'));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  onTestFinished(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const lines = (): Record<string, unknown>[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { write: jsonLines({ levels, fd, ...options }), lines };
}

it('each call is one line that is written when the call returns, with level, time, process and fields', () => {
  const { write, lines } = logger({ fields: { component: 'test' } });
  write('high', { n: 1, text: 'two\nlines' }, 'it happened');
  expect(lines()).toEqual([
    {
      level: 'high',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      pid: process.pid,
      component: 'test',
      n: 1,
      text: 'two\nlines',
      message: 'it happened',
    },
  ]);
});

it('lines below the level are left out; without a level none is', () => {
  const quiet = logger({ level: 'middle' });
  const all = logger();
  for (const level of levels) {
    quiet.write(level, {}, level);
    all.write(level, {}, level);
  }
  expect(quiet.lines().map(({ level }) => level)).toEqual(['middle', 'high']);
  expect(all.lines().map(({ level }) => level)).toEqual([...levels]);
});
