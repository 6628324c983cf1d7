import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whereText } from '../../../src/cli/where.ts';
import { loadPlugin } from '../../../src/plugin/loader.ts';
import { runCli } from '../../support/run-cli.ts';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'kts-errors-')));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the command line', () => {
  it.each([
    [['dmup'], 'There is no command "dmup". Did you mean dump?'],
    [['xyzzyx'], 'There is no command "xyzzyx". Commands are: init, dev, serve,'],
    [
      ['serve', './a.ts', '--sokcet', 'x'],
      "unknown option '--sokcet' (Did you mean --socket?) (kong-ts serve --help)",
    ],
    [['hooks', 'lst'], "unknown command 'lst' (Did you mean list?) (kong-ts hooks --help)"],
  ])('says for %j what was meant', async (args, text) => {
    const { status, stderr } = await runCli(args);
    expect(stderr).toContain(text);
    expect(status).toBe(2);
  });

  const load = async (name: string, text: string): Promise<unknown> => {
    writeFileSync(join(folder, name), text);
    return loadPlugin(join(folder, name)).catch((error: unknown) => error);
  };

  it('shows a terminal the line of a plugin that throws, in colour where it is wanted', async () => {
    const error = await load('throws.ts', 'const nothing = undefined;\n\nnothing.such();\n');
    const text = whereText(error, { isTTY: true }, { NO_COLOR: '1' });
    expect(text).toContain('throws.ts:3:9\n');
    expect(text).toContain('  > 3 | nothing.such();\n      |         ^\n');
    expect(text).not.toContain('\u001b');
    expect(whereText(error, { isTTY: true }, { TERM: 'xterm' })).toContain('\u001b[31m^');
  });

  it('shows a terminal the line of a syntax error', async () => {
    const error = await load('syntax.mjs', 'export default 1;\nconst = 2;\n');
    expect(whereText(error, {}, {})).toBe('    1 | export default 1;\n  > 2 | const = 2;\n    3 | \n');
  });

  it('has nothing to show of what is nobody’s code', async () => {
    const error = await loadPlugin('./missing.ts', { cwd: folder }).catch((thrown: unknown) => thrown);
    expect(whereText(error, {}, {})).toBe('');
    expect(whereText(new Error('a defect'), {}, {})).toBe('');
  });
});
