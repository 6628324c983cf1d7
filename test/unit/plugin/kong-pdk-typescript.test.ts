import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { kongTsError } from '../../support/errors.ts';
import { runPhase } from '../../support/kong-pdk.ts';
import { loadPlugin } from '../../../src/plugin/loader.ts';

let root: string;
let folder: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'kong-ts-kong-pdk-typescript-'));
});

// Modules are loaded once per path: each test has a folder of its own.
beforeEach(() => {
  count += 1;
  folder = path.join(root, String(count));
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

/** A plugin that lets through who `allowed` allows. */
const guard = (importing: string, exporting: string, declaration = 'class KongPlugin'): string => `
${importing}
${declaration} {
  constructor(private readonly config: { list: string }) {}
  async access(kong: any) {
    const token: string = (await kong.request.getHeader('x-token')) ?? '';
    if (!allowed(token)) return kong.response.exit(401, 'wrong token');
  }
}
${exporting}
`;
const commonJs = "module.exports = { Plugin: KongPlugin, Name: 'guard', Version: '0.1.0', Priority: 10 }";

const tokens = `
export enum Kind { Good = 'good-token' }
export interface Options { readonly strict: boolean }
class Checker {
  constructor(private readonly good: string) {}
  check(token: string): boolean { return token === this.good }
}
const checker = new Checker(Kind.Good);
export const allowed = (token: string): boolean => checker.check(token);
`;

/** Expects a wrong token to be refused and the right one to pass. */
async function expectGuarded(plugin: string): Promise<void> {
  const loaded = await loadPlugin(plugin);
  expect(loaded).toMatchObject({ protocol: 'msgpack', phases: ['access'] });
  const wrong = await runPhase(loaded, 'access', { 'kong.request.get_header': 'wrong' });
  expect(wrong.calls.at(-1)).toEqual(['kong.response.exit', 401, 'wrong token']);
  const right = await runPhase(loaded, 'access', { 'kong.request.get_header': 'good-token' });
  expect(right.calls).toEqual([['kong.request.get_header', 'x-token']]);
}

describe('plugins for kong-pdk in TypeScript refuse a wrong token', () => {
  it('when the check is imported without an ending', async () => {
    file('lib/tokens.ts', tokens);
    const text = guard(`import kong from "kong-pdk/kong"\nimport { allowed } from "./lib/tokens"`, commonJs);
    await expectGuarded(file('guard.ts', text));
  });

  it('when the check is the index of a folder, and passed on from another file', async () => {
    file('lib/index.ts', `export * from './tokens';\nexport { default as data } from './data.json';`);
    file('lib/tokens.ts', tokens);
    file('lib/data.json', '{ "a": 1 }');
    await expectGuarded(
      file('guard.ts', guard(`import * as lib from "./lib"\nconst { allowed } = lib;`, commonJs)),
    );
  });

  it('when the check compares with what a JSON file says', async () => {
    file('tokens.json', '["good-token"]');
    const importing = `import list from "./tokens"\nconst allowed = (token: string) => list.includes(token);`;
    await expectGuarded(file('guard.ts', guard(importing, commonJs)));
  });

  it('when the check comes from the folder itself, or the one above', async () => {
    file('index.ts', tokens);
    await expectGuarded(file('guard.ts', guard(`import { allowed } from "."`, commonJs)));
    await expectGuarded(file('below/guard.ts', guard(`import { allowed } from ".."`, commonJs)));
  });

  it('when it is passed on together with types', async () => {
    file('lib/tokens.ts', tokens);
    file('lib/inner.ts', `export { allowed as \u00e4llowed, Options, Kind } from './tokens';`);
    file('lib/index.ts', `export { \u00e4llowed as allowed, Options } from './inner';`);
    const importing = `import { allowed, Options } from "./lib"\nlet options: Options;`;
    await expectGuarded(file('guard.ts', guard(importing, commonJs)));
  });

  it('when the plugin is all that another file exports, or the main file of a package', async () => {
    file('lib/tokens.ts', tokens);
    const exporting = `export { KongPlugin as Plugin };\nexport const Name = 'guard', Version = '0.1.0';`;
    file('package.json', '{ "name": "guard", "main": "src/main" }');
    file('src/main.ts', guard(`import { allowed } from "../lib/tokens"`, exporting));
    await expectGuarded(file('guard.ts', `export * from './src/main';`));
    await expectGuarded(folder);
  });

  it('when the check is required, also by JavaScript', async () => {
    file('lib/tokens.ts', tokens);
    await expectGuarded(file('guard.ts', guard(`const { allowed } = require("./lib/tokens")`, commonJs)));
    const plain = `const { allowed } = require('./lib/tokens');
module.exports = { Name: 'plain', Version: '1.0.0', Plugin: class {
  async access(kong) { if (!allowed(await kong.request.getHeader('x-token'))) await kong.response.exit(401, 'wrong token'); }
} };`;
    await expectGuarded(file('plain.js', plain));
    await expectGuarded(file('ended.js', plain.replace('./lib/tokens', './lib/tokens.ts')));
  });

  it('when the class is exported beside module.exports', async () => {
    file('lib/tokens.ts', tokens);
    const text = guard(`import { allowed } from './lib/tokens'`, commonJs, 'export class KongPlugin');
    await expectGuarded(file('guard.ts', text));
  });

  it('when everything is exported by name', async () => {
    file('lib/tokens.ts', tokens);
    const importing = `import Kong from "kong-pdk/kong"\nimport { allowed, Options } from './lib/tokens'`;
    const exporting = `export const Plugin = KongPlugin;\nexport const Name = 'guard', Version = '0.1.0', Priority = 10;`;
    await expectGuarded(file('guard.ts', guard(importing, exporting)));
    await expectGuarded(
      file('class.ts', guard(importing, `export const Name = 'guard'`, 'export class Plugin')),
    );
    await expectGuarded(file('list.ts', guard(importing, `export { KongPlugin as Plugin }`)));
  });

  it('when the exports are set one by one', async () => {
    file('lib/tokens.ts', tokens);
    const text = guard(
      `import allowedTokens = require('./lib/tokens')\nconst { allowed } = allowedTokens;`,
      `exports.Name = 'guard';`,
    );
    await expectGuarded(file('guard.ts', text.replace('class KongPlugin', 'exports.Plugin = class')));
  });

  it('when kong-pdk is imported for a type inside of braces', async () => {
    file('lib/tokens.ts', tokens);
    const importing = `import { type Kong, type Other as Another } from "kong-pdk/kong"
export { type Options } from "./lib/tokens"
import { allowed } from "./lib/tokens"`;
    await expectGuarded(file('guard.ts', guard(importing, commonJs)));
  });

  it('when the token comes from a constant enumeration that is declared', async () => {
    const importing = `declare const enum Token { Good = 'good-token' }\nconst allowed = (token: string) => token === Token.Good;`;
    await expectGuarded(file('guard.ts', guard(importing, commonJs)));
  });

  it("when a class declares a field of its base class anew, or fields use the constructor's parameters", async () => {
    file('lib/base.ts', `export class Base { constructor(protected readonly lists: any) {} }`);
    const text = `import { Base } from './lib/base'
class Checker { constructor(private readonly good: string) {} private readonly tokens = new Set([this.good]);
  has(token: string) { return this.tokens.has(token) } }
class KongPlugin extends Base {
  protected lists: { checker: Checker };
  #found = this.lists.checker;
  'own' = this.#found;
  constructor(config: any, private readonly word = 'wrong token') { super({ checker: new Checker('good-token') }) }
  private readonly exit = (kong: any) => kong.response.exit(401, this.word);
  async access(kong: any) {
    const token = (await kong.request.getHeader('x-token')) ?? '';
    if (!this.lists.checker.has(token) || this.own !== this.#found) return this.exit(kong);
  }
}
${commonJs}`;
    await expectGuarded(file('guard.ts', text));
  });

  it('when it is imported while a request waits', async () => {
    file('lib/tokens.ts', tokens);
    const text = guard(`const later = () => import("./lib/tokens");`, commonJs);
    await expectGuarded(file('guard.ts', text.replace('allowed(token)', '(await later()).allowed(token)')));
  });

  it('when the folder of the check has a main file without its ending', async () => {
    file('lib/package.json', '{ "main": "src/entry" }');
    file('lib/src/entry.ts', tokens);
    await expectGuarded(file('guard.ts', guard(`import { allowed } from "./lib"`, commonJs)));
  });

  it.each([
    ['after another statement', `const before = 1; ${commonJs}`],
    ['as a variable, too', `const plugin = ${commonJs}`],
    ['in a block', `if (true) { ${commonJs} }`],
    [
      'by defineProperty',
      `Object.defineProperty(exports, 'Plugin', { enumerable: true, value: KongPlugin });\nexports.Name = 'guard'`,
    ],
  ])('when the exports are set %s', async (_where, exporting) => {
    file('lib/tokens.ts', tokens);
    await expectGuarded(file('guard.ts', guard(`import { allowed } from './lib/tokens'`, exporting)));
  });

  it('when two files import each other', async () => {
    file(
      'tokens.ts',
      `import { good } from './list';\nexport const same = (a: string, b: string) => a === b;\nexport const allowed = (token: string) => good(token);`,
    );
    file(
      'list.ts',
      `import { same } from './tokens';\nexport const good = (token: string) => same(token, 'good-token');`,
    );
    await expectGuarded(file('guard.ts', guard(`import { allowed } from './tokens'`, commonJs)));
  });
});

describe('plugins for kong-pdk in TypeScript do not load', () => {
  const refused = async (plugin: string, ...named: string[]): Promise<void> => {
    const all = named.map((text) => `(?=[^]*${text.replaceAll('.', '\\.')})`).join('');
    await expect(loadPlugin(plugin)).rejects.toEqual(
      kongTsError('PLUGIN_LOAD_FAILED', new RegExp(`^${all}`)),
    );
  };

  it.each([
    ['a file that is not there', `import { allowed } from "./lib/tokens"`, './lib/tokens'],
    [
      'a package that is not there',
      `import allowed from "no-such-package-anywhere"`,
      'no-such-package-anywhere',
    ],
    ['a value of kong-pdk', `import allowed from "kong-pdk/kong"`, 'kong-pdk/kong'],
    ['something only for its effects', `import "./effects"\nconst allowed = () => true;`, './effects'],
    ['a required file that is not there', `const { allowed } = require("./lib/tokens")`, './lib/tokens'],
  ])('when they import %s', async (_what, importing, named) => {
    const plugin = file('guard.ts', guard(importing, commonJs));
    await refused(plugin, plugin, named);
  });

  it('when a helper imports what is not there, with the name of the helper', async () => {
    file(
      'lib/tokens.ts',
      `import { secret } from './vault';\nexport const allowed = (token: string) => token === secret;`,
    );
    await refused(
      file('guard.ts', guard(`import { allowed } from "./lib/tokens"`, commonJs)),
      './vault',
      'tokens.ts',
    );
  });

  it.each([
    ['TypeScript', 'tokens.ts', 'export const permitted = () => false;'],
    ['JavaScript', 'tokens.js', 'exports.permitted = () => false;'],
    ['a JSON file', 'tokens.json', '{ "permitted": [] }'],
  ])('when a name is imported that %s does not export', async (_what, name, text) => {
    file(`lib/${name}`, text);
    const plugin = file('guard.ts', guard(`import { allowed } from "./lib/tokens"`, commonJs));
    await refused(plugin, plugin, 'allowed', './lib/tokens');
  });

  it.each(['permitted', '\u00e4'])('when %s is passed on and there is no such value', async (name) => {
    file('lib/tokens.ts', tokens);
    file('lib/inner.ts', `export { ${name} } from './tokens';`);
    file('lib/index.ts', `export { ${name} as ${name}2 } from './inner';`);
    const importing = `import { ${name}2 } from "./lib"\nconst allowed = (token: string) => ${name}2(token);`;
    const plugin = file('guard.ts', guard(importing, commonJs));
    await refused(plugin, plugin, `${name}2`, './lib');
  });

  it.each(['toString', 'constructor', 'hasOwnProperty'])(
    'when %s is imported, which every object has',
    async (name) => {
      file('lib/tokens.ts', tokens);
      const plugin = file('guard.ts', guard(`import { ${name} as allowed } from "./lib/tokens"`, commonJs));
      await refused(plugin, plugin, name, './lib/tokens');
    },
  );

  it('when they call what a module has not that they import whole', async () => {
    file('lib/tokens.ts', tokens);
    const importing = `import * as lib from "./lib/tokens"\nconst allowed = (token: string) => lib.permits(token);`;
    await refused(file('guard.ts', guard(importing, commonJs)), 'permits', './lib/tokens');
    const shadowed = `import * as lib from "./lib/tokens"
const through = (lib: any) => lib.permits;\nconst { allowed } = lib;`;
    expect((await loadPlugin(file('shadowed.ts', guard(shadowed, commonJs)))).name).toBe('guard');
  });

  it.each(['./lib/nowhere', 'no-such-package-anywhere'])(
    'when %s is not there, which is imported while a request waits',
    async (name) => {
      const text = guard(`const later = () => import("${name}");`, commonJs);
      const plugin = file('guard.ts', text.replace('allowed(token)', '(await later()).allowed(token)'));
      await refused(plugin, plugin, name);
    },
  );

  it('when a default is imported that there is not', async () => {
    file('lib/tokens.ts', tokens);
    const plugin = file('guard.ts', guard(`import allowed from "./lib/tokens"`, commonJs));
    await refused(plugin, 'default', './lib/tokens');
  });

  it('when a helper in JavaScript of theirs does not parse', async () => {
    file('lib/tokens.ts', 'export const allowed = (;');
    await refused(file('guard.ts', guard(`import { allowed } from "./lib/tokens"`, commonJs)), 'tokens.ts');
  });
});
