import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kongTsError } from '../../support/errors.ts';
import { loadPlugin } from '../../../src/plugin/loader.ts';

let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kong-ts-loader-')));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const esm = (name: string): string =>
  `import { definePlugin, z } from 'kong-ts';
export default definePlugin({ name: '${name}', version: '1.0.0', config: z.object({ a: z.int() }), access() {} });\n`;

const cjs = (name: string): string =>
  `const { definePlugin, z } = require('kong-ts');
module.exports = definePlugin({ name: '${name}', version: '1.0.0', config: z.object({ a: z.int() }), access() {} });\n`;

describe('loadPlugin', () => {
  it.each([
    ['a.ts', `const n: number = 1;\n${esm('a')}`],
    ['b.mjs', esm('b')],
    ['c.js', esm('c')],
    ['d.cjs', cjs('d')],
    ['e/index.ts', esm('e')],
    ['h.mjs', `import { z } from 'zod';\n${esm('h').replace(', z }', ' }')}`],
    ['i.mjs', `export default { name: 'i', version: '1.0.0', access() {} };`],
  ])('loads %s', async (name, text) => {
    const plugin = await loadPlugin(file(name, text));
    expect(plugin).toMatchObject({ name: name[0], version: '1.0.0', phases: ['access'] });
  });

  it('resolves relative paths, paths without an ending and folders', async () => {
    file('relative.ts', esm('relative'));
    file('in-folder/index.js', esm('in-folder'));
    for (const spec of ['./relative.ts', 'relative.ts', './relative']) {
      expect((await loadPlugin(spec, { cwd: folder })).name).toBe('relative');
    }
    expect((await loadPlugin('./in-folder', { cwd: folder })).name).toBe('in-folder');
  });

  it('loads packages installed beside the working directory', async () => {
    file('node_modules/my-package/package.json', '{"name":"my-package","main":"main.js"}');
    file('node_modules/my-package/main.js', cjs('packaged'));
    expect((await loadPlugin('my-package', { cwd: folder })).name).toBe('packaged');
  });

  it.each<[string, string, string, RegExp]>([
    ['a TypeScript syntax error', 'x1.ts', 'export default {{;', /x1\.ts.*cannot be loaded.*syntax/i],
    [
      'a JavaScript syntax error',
      'x2.mjs',
      'const a = 1;\nexport default {{;',
      /x2\.mjs:2 cannot be loaded: syntax error/,
    ],
    ['an enum', 'x3.ts', 'enum A { B }\nexport default A;', /x3\.ts.*enum.*const object/],
    ['code that throws', 'x4.mjs', "throw new Error('no database');", /x4\.mjs.*no database/],
    ['a missing import', 'x5.mjs', "import 'not-installed-at-all';", /not-installed-at-all.*Install/],
    [
      'TypeScript below node_modules',
      'node_modules/typed/index.ts',
      'export default 1;',
      /node_modules.*publish the package as JavaScript/,
    ],
  ])('says why %s does not load', async (_what, name, text, message) => {
    await expect(loadPlugin(file(name, text))).rejects.toThrow(kongTsError('PLUGIN_LOAD_FAILED', message));
  });

  it.each<[string, string, string, RegExp]>([
    ['no default export', 'y1.mjs', 'export const plugin = {};', /no default export, only plugin/],
    ['no export', 'y2.mjs', '1;', /no exports/],
    ['another type', 'y3.mjs', 'export default 7;', /of type number/],
    ['an invalid definition', 'y4.mjs', "export default { name: 'a b' };", /y4\.mjs: name is "a b"/],
  ])('says what is wrong with %s', async (_what, name, text, message) => {
    await expect(loadPlugin(file(name, text))).rejects.toThrow(kongTsError('PLUGIN_INVALID', message));
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    [
      '"type": "module" is missing',
      { 'package.json': '{ "type": "commonjs" }', 'p.ts': esm('p') },
      'p.ts',
      /p\.ts:1 cannot.*Write "type": "module" into .*hint-\w+\/package\.json in place of "type": "commonjs".* p\.mts\./,
    ],
    [
      'a path lacks its ending',
      { 'package.json': '{ "type": "module" }', 'p.ts': "import './lib/helper';", 'lib/helper.ts': '' },
      'p.ts',
      /as Node takes it: \.\/lib\/helper\.ts\./,
    ],
    [
      'a path ends as if it were compiled',
      { 'package.json': '{ "type": "module" }', 'lib/p.ts': "import '../helper.js';", 'helper.ts': '' },
      'lib/p.ts',
      /as Node takes it: \.\.\/helper\.ts\./,
    ],
    [
      'a plugin for kong-pdk lies in a package of modules',
      { 'package.json': '{ "type": "module" }', 'old.js': 'module.exports = { Plugin: class {} };' },
      'old.js',
      /old\.js:1 cannot.*package\.json says "type": "module": name it old\.cjs\./,
    ],
    [
      'a type is imported as a value',
      {
        'package.json': '{ "type": "module" }',
        'p.ts': "import { T } from './t.ts'; export default {} as T;",
        't.ts': 'export type T = 1;',
      },
      'p.ts',
      /write import type \{ T \}/,
    ],
    [
      'a JSON file lacks its attribute',
      { 'package.json': '{ "type": "module" }', 'p.ts': "import './a.json';", 'a.json': '{}' },
      'p.ts',
      /with \{ type: 'json' \}/,
    ],
    [
      'a helper throws',
      {
        'package.json': '{ "type": "module" }',
        'p.ts': "import './h.ts';",
        'h.ts': '\nthrow new Error("no licence");',
      },
      'p.ts',
      /p\.ts \(in .*h\.ts:2\) cannot be loaded: no licence/,
    ],
  ])('says how to mend it where %s', async (what, files, spec, message) => {
    const at = path.basename(mkdtempSync(path.join(folder, 'hint-')));
    for (const [name, text] of Object.entries(files)) file(`${at}/${name}`, text);
    await expect(loadPlugin(path.join(folder, at, spec)), what).rejects.toThrow(
      kongTsError('PLUGIN_LOAD_FAILED', message),
    );
  });

  it('gives up a plugin whose top-level await never ends, and waits for one that does', async () => {
    const never = file(
      'never.ts',
      `await new Promise(() => setInterval(() => {}, 1e6).unref());\n${esm('never')}`,
    );
    await expect(loadPlugin(never, { limitMs: 50 })).rejects.toThrow(
      kongTsError(
        'PLUGIN_LOAD_FAILED',
        /never\.ts cannot be loaded: its top-level await had not ended after 0\.05 s/,
      ),
    );
    const late = file('late.ts', `await new Promise((resolve) => setTimeout(resolve, 5));\n${esm('late')}`);
    expect((await loadPlugin(late)).name).toBe('late');
  });

  it('says what to write for what it cannot find', async () => {
    await expect(loadPlugin('./missing.ts', { cwd: folder })).rejects.toThrow(
      kongTsError('PLUGIN_NOT_FOUND', /missing\.ts.*\.cjs/),
    );
    await expect(loadPlugin('no-such-package', { cwd: folder })).rejects.toThrow(
      /no-such-package.*\.\/my-plugin\.ts/,
    );
    file('lies-beside.ts', esm('beside'));
    await expect(loadPlugin('lies-beside', { cwd: folder })).rejects.toThrow(/write \.\/lies-beside/);
  });
});
