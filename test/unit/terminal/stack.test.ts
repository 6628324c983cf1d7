import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { palette } from '../../../src/terminal/colour.ts';
import { authorFrame, framesOf, placeOf, readableStack } from '../../../src/terminal/stack.ts';

const ours = fileURLToPath(new URL('../../../src/pdk/methods.ts', import.meta.url));
const paint = palette(false);
let folder: string;
let file: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'kts stack-')));
  file = join(folder, 'hello.ts');
  writeFileSync(file, 'const a = 1;\n\tthrow new Error();\nconst b = 2;\n');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const stack = (): string =>
  [
    'Error: what (it says)',
    `    at invoke (${ours}:10:20)`,
    `    at async Object.access (${pathToFileURL(file).href}?v=1:2:8)`,
    `    at ${file}:3:1`,
    '    at node:internal/timers:594:17',
    `    at use (${join(folder, 'node_modules', 'p', 'index.js')}:1:1)`,
  ].join('\n');

describe('a stack for people', () => {
  it('tells whose code each frame is in', () => {
    expect(framesOf(stack()).map(({ owner, line, column, name }) => [owner, line, column, name])).toEqual([
      ['kong-ts', 10, 20, 'invoke'],
      ['author', 2, 8, 'Object.access'],
      ['author', 3, 1, null],
      ['node', 594, 17, null],
      ['package', 1, 1, 'use'],
    ]);
  });

  it('begins with the author and his line, and folds the rest', () => {
    expect(readableStack(stack(), folder, paint)).toEqual([
      'at hello.ts:2:8 in Object.access',
      '  1 | const a = 1;',
      '> 2 |  throw new Error();',
      '    |        ^',
      '  3 | const b = 2;',
      'at hello.ts:3:1',
      '(3 frames of kong-ts, Node, packages)',
    ]);
  });

  it('shows what a source has and a terminal acts on', () => {
    const odd = join(folder, 'odd.ts');
    writeFileSync(odd, "'\u001b[2J';\n");
    const lines = readableStack(`Error: x\n    at ${odd}:1:1`, folder, paint);
    expect(lines[1]).toBe("> 1 | '\\u001b[2J';");
  });

  it('reads no pipe and no device that a message names: they would hold the process up', () => {
    const pipe = join(folder, 'pipe.ts');
    execFileSync('mkfifo', [pipe]);
    const writer = openSync(pipe, 'r+');
    writeSync(writer, 'secret\n');
    expect(readableStack(`Error: x\n    at ${pipe}:1:1`, folder, paint)).toEqual(['at pipe.ts:1:1']);
    expect(readableStack('Error: x\n    at /dev/zero:1:1', '/', paint)).toEqual(['at dev/zero:1:1']);
    closeSync(writer);
  });

  it('finds no frame in a line that no frame is as long as', () => {
    const long = `    at ${' (/'.repeat(1000)}`;
    expect(framesOf(`Error: x\n${long}:1:1)\n${stack()}`)).toEqual(framesOf(stack()));
  });

  it('finds the frame of the author, also in a path with a blank', () => {
    const frame = authorFrame(stack());
    expect(frame).toMatchObject({ file, line: 2 });
    expect(frame === null ? null : placeOf(frame, folder)).toBe('hello.ts:2:8');
    expect(frame === null ? null : placeOf(frame, '/somewhere/else')).toBe(`${file}:2:8`);
  });

  it('does without what it cannot read', () => {
    expect(readableStack('', folder, paint)).toEqual([]);
    expect(readableStack('Error: no frames\n  not one', folder, paint)).toEqual([]);
    expect(authorFrame(undefined)).toBeNull();
    const gone = `Error\n    at f (${join(folder, 'gone.ts')}:1:1)\n    at g (${file}:99:1)`;
    expect(readableStack(gone, folder, paint)).toEqual(['at gone.ts:1:1 in f', 'at hello.ts:99:1 in g']);
  });
});
