import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/run-cli.ts';

let folder: string;

const timer = `import { definePlugin } from 'kong-ts';\nsetInterval(() => undefined, 1000);\nprocess.exitCode = 7;\n`;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-handles-'));
  writeFileSync(path.join(folder, 'throws.ts'), `${timer}throw new Error('boom');\n`);
  writeFileSync(path.join(folder, 'number.ts'), `${timer}export default 5;\n`);
  mkdirSync(path.join(folder, 'good'));
  writeFileSync(
    path.join(folder, 'good', 'good.ts'),
    `${timer}export default definePlugin({ name: 'good', version: '1.0.0', priority: 1, access() {} });\n`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

// A plugin that keeps a timer would keep the process, and Kong waits for the end of a query_cmd.
describe.concurrent('a plugin that leaves a timer open does not keep the process', () => {
  it.each([
    ['dump throws.ts', 'boom'],
    ['export-schema throws.ts', 'boom'],
    ['export-schema number.ts --lua', 'exports no plugin'],
    ['kong-config good/good.ts --socket relative', 'relative path'],
    ['kong-config good/good.ts --sidecar-image relative', '--mode sidecar'],
    ['js-pluginserver -d good --dump-plugin-info other', 'no plugin "other"'],
  ])('%s ends with an error', { timeout: 60_000 }, async (line, says) => {
    const { status, stdout, stderr } = await runCli(line.split(' '), { cwd: folder });
    expect({ status, stdout }).toEqual({ status: line.includes('relative') ? 2 : 1, stdout: '' });
    expect(stderr).toContain(says);
  });

  it.each([
    'export-schema good/good.ts --lua',
    'kong-config good/good.ts',
    'js-pluginserver -d good --dump-all-plugins',
  ])('%s ends well', { timeout: 60_000 }, async (line) => {
    const { status, stdout } = await runCli(line.split(' '), { cwd: folder });
    expect(status).toBe(0);
    expect(stdout).toContain('good');
  });
});
