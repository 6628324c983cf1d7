import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPlugins } from '../../../../src/cli/dev/find-plugins.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-find-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const source = 'export default definePlugin({});\n';

function write(name: string, text = source): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test('the plugins in ./plugins are files with a default export and folders with an index', () => {
  write('plugins/b.ts');
  write('plugins/a/index.ts');
  write('plugins/old.cjs', 'module.exports = { Plugin };\n');
  write('plugins/helper.ts', 'export const help = 1;\n');
  write('plugins/b.test.ts');
  write('plugins/types.d.ts');
  write('plugins/_shared.ts');
  write('plugins/.hidden.ts');
  write('plugins/notes.md');
  write('plugins/empty/readme.md');
  write('index.ts');
  expect(findPlugins(folder)).toEqual(['./plugins/a/index.ts', './plugins/b.ts', './plugins/old.cjs']);
});

test("without ./plugins it is the package's own plugin: the source that the manifest names, or the usual place", () => {
  write('src/index.ts');
  expect(findPlugins(folder)).toEqual(['./src/index.ts']);
  write('main.ts');
  write('package.json', '{ "main": "./main.ts" }');
  expect(findPlugins(folder)).toEqual(['./main.ts']);
  write('package.json', '{ "exports": "./dist/index.js" }');
  expect(findPlugins(folder)).toEqual(['./src/index.ts']);
  write('package.json', 'no json');
  expect(findPlugins(folder)).toEqual(['./src/index.ts']);
});

test('otherwise it is what calls definePlugin in the folder', () => {
  write('hello.ts');
  write('tool.ts', 'export default 1;\n');
  expect(findPlugins(folder)).toEqual(['./hello.ts']);
});

test('a folder without a plugin is refused, with what to do', () => {
  expect(() => findPlugins(folder)).toThrow(/There is no plugin in .*kong-ts init/);
  write('plugins/readme.md');
  expect(() => findPlugins(folder)).toThrow('There is no plugin');
});
