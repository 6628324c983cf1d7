import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  parseEnvironment,
  parseKongConf,
  pluginsOf,
  serversOf,
} from '../../../../src/kong-setup/kong-conf.ts';
import { factsOf } from '../../../../src/kong-setup/versions.ts';
import { SetUp } from './support/set-up.ts';

/** What LuaJIT printed for these with Penlight 1.13.1, its comments taken off as Kong's conf_loader does. */
describe('kong.conf is read as Kong reads it', () => {
  it.each<[string, readonly string[], Record<string, string>]>([
    ['a comment, also of INI files', ['# a = 1', '; b = 2', '  # c = 3', 'd = 4 # five'], { d: '4' }],
    ['a # that is a character', ['a = x\\#y # z'], { a: 'x#y' }],
    ['a ; within a line is not a comment', ['a = b ; c'], { a: 'b ; c' }],
    ['a line that goes on', ['plugins = bundled,\\', '  js-one'], { plugins: 'bundled,  js-one' }],
    ['a comment within a line that goes on', ['a = x\\ ', '# said', '', 'y'], { a: 'xy' }],
    [
      'a comment that goes on takes the next line',
      ['a = x # said \\', 'plugins = y', 'b = z'],
      { a: 'x', b: 'z' },
    ],
    ['a file that ends with a line that goes on', ['a = 1', 'plugins = y \\'], { a: '1' }],
    ['names with - and .', ['pluginserver_js-one.socket = /s'], { pluginserver_js_one_socket: '/s' }],
    ['names in upper case are none of Kong', ['PLUGINS = x', 'Prefix = /y'], {}],
    ['quotes are characters', ['plugins = "bundled,x"'], { plugins: '"bundled,x"' }],
    ['= within a value', ['a = b=c = d'], { a: 'b=c = d' }],
    ['the last of two', ['a = 1', 'a = 2'], { a: '2' }],
    ['a line without =', ['include /etc/kong/more.conf', 'a = 1'], { a: '1' }],
    ['what follows a section is not read', ['a = 1', '[kong]', 'plugins = x'], { a: '1' }],
    ['lines of Windows', ['plugins = x,y\r', 'a = 1\r'], { plugins: 'x,y', a: '1' }],
  ])('%s', (_what, lines, properties) => {
    expect(Object.fromEntries(parseKongConf(lines.join('\n')))).toEqual(properties);
  });

  it('variables win over it, and are stripped, but hold no comments', () => {
    const environment = parseEnvironment({
      KONG_PLUGINS: ' bundled, x ',
      KONG_PREFIX: '/p # q',
      kong_plugins: 'y',
    });
    const properties = new Map([...parseKongConf('plugins = z\nprefix = /o'), ...environment]);
    expect(properties.get('prefix')).toBe('/p # q');
    expect(pluginsOf(properties)).toEqual(['bundled', 'x']);
  });

  it.each<[string, string[]]>([
    ['off', []],
    ['off, x', []],
    ['x, off', ['x']],
    ['bundled, x,', ['bundled', 'x']],
    ['', []],
    [' , ,', []],
    ['Off', ['Off']],
    ['my plugin, x', ['my plugin', 'x']],
  ])('plugins = %s', (value, names) => {
    expect(pluginsOf(new Map([['plugins', value]]))).toEqual(names);
  });

  it('off is a name like any other in pluginserver_names', () => {
    const servers = serversOf(new Map([['pluginserver_names', 'off']]), factsOf('3.9'), () => false);
    expect(servers).toMatchObject([{ name: 'off', queryCommand: null }]);
  });
});

describe('plugins of a set-up', () => {
  let the: SetUp;
  beforeEach(() => {
    the = new SetUp();
    the.plugin('js-one', { start: the.start() });
  });
  afterEach(() => the.close());
  const said = async (level: string): Promise<string[]> =>
    (await the.examine())
      .filter((one) => one.level === level && one.subject === 'plugins')
      .map((one) => one.says);

  it.each<[string, RegExp[]]>([
    ['off,js-one', [/does not list js-one/]],
    ['js-one,off', []],
    ['bundled, js-one,', []],
    ['"bundled,js-one"', [/does not list js-one/, /lists "bundled, which/, /lists js-one", which/]],
    ['bundled,JS-One', [/does not list js-one/, /lists JS-One, which nothing provides/]],
    ['bundled,js one', [/does not list js-one/, /lists js one, which nothing provides/]],
  ])('plugins = %s', async (value, errors) => {
    the.conf.plugins = value;
    const found = await said('error');
    expect(found).toHaveLength(errors.length);
    for (const [at, pattern] of errors.entries()) expect(found[at]).toMatch(pattern);
  });

  it('KONG_PLUGINS in the place of a list that was right', async () => {
    the.environment = { KONG_PLUGINS: 'bundled' };
    expect(await said('error')).toEqual([expect.stringContaining('does not list js-one')]);
  });

  it('an entry that a vault holds may be the plugin: no error, and said', async () => {
    the.conf.plugins = 'bundled,{vault://env/my-plugin}';
    expect(await said('error')).toEqual([]);
    expect(await said('warning')).toEqual([
      expect.stringContaining('does not list js-one'),
      expect.stringContaining('{vault://env/my-plugin}'),
    ]);
  });
});
