import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongClient } from './support/kong-client.ts';
import type { ServerProcess } from './support/server-process.ts';
import { until, Workbench } from './support/server-process.ts';

const plugin = (imports: string, text: string) => `
  import { definePlugin } from 'kong-ts';
  ${imports}
  export default definePlugin({
    name: 'watched',
    version: '1.0.0',
    async access(kong) {
      await kong.log.notice(${text});
    },
  });
`;
const helper = (name: string) => `export const name = '${name}';\n`;

let bench: Workbench;
let server: ServerProcess;
let kong: KongClient;
const at = (name: string) => join(bench.folder, 'project', name);

function write(name: string, text: string): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}

async function serve(): Promise<void> {
  server = await bench.serve([at('plugin.ts')], '--workers', '1', '--watch').ready();
  kong = new KongClient(server.socket);
}

/** Resolves once the plugin says this. */
async function said(what: string): Promise<void> {
  const log = () => server.log.map((line) => JSON.stringify(line)).join('\n');
  const heard = async () => {
    await kong.event('watched', {}, 'access');
    return kong.lastArguments[0] === what;
  };
  await until(heard, `the plugin to say ${what}`, () => `it said ${String(kong.lastArguments[0])}\n${log()}`);
}

const reloads = () => server.log.filter(({ message }) => message === 'plugins reloaded').length;

beforeEach(async () => {
  bench = await Workbench.create();
  write('package.json', '{ "type": "module" }');
});
afterEach(async () => {
  kong.close();
  await bench.clean();
});

describe('serve --watch', () => {
  it('runs what a helper says that is replaced by a new file, again and again', async () => {
    write('plugin.ts', plugin("import { name } from './lib/helper.ts';", 'name'));
    write('lib/helper.ts', helper('first'));
    await serve();
    for (const name of ['one', 'two', 'three']) {
      write('lib/helper.ts.tmp', helper(name));
      renameSync(at('lib/helper.ts.tmp'), at('lib/helper.ts'));
      await said(name);
    }
  });

  it('reloads for no data, log and socket that a plugin makes in its folder all the time', async () => {
    const makes = `
      import { appendFileSync, mkdirSync } from 'node:fs';
      import { createServer } from 'node:net';
      import { name } from './helper.ts';
      mkdirSync(import.meta.dirname + '/data', { recursive: true });
      const write = () => {
        for (const file of ['/data/db', '/a.log']) appendFileSync(import.meta.dirname + file, 'loaded');
      };
      setInterval(write, 20).unref();
      createServer().listen(import.meta.dirname + '/' + process.pid + '.sock').unref();`;
    write('plugin.ts', plugin(makes, 'name'));
    write('helper.ts', helper('first'));
    await serve();
    for (const name of ['one', 'two', 'three']) {
      write('helper.ts', helper(name));
      await said(name);
    }
    await server.logged('plugins reloaded');
    expect(reloads()).toBeLessThanOrEqual(3);
  });

  it('runs what git checks out, 200 files with one reload', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `part${index}`);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: at('') });
    git('init', '-q');
    // The words differ, and nothing else of the files does.
    for (const word of ['a', 'b']) {
      for (const name of names) write(`lib/${name}.ts`, `export const ${name} = '${word}';\n`);
      const imports = names.map((name) => `import { ${name} } from './lib/${name}.ts';\n`).join('');
      write('plugin.ts', plugin(imports, names.join(' + ')));
      git('add', '.');
      git('commit', '-qm', word);
    }
    await serve();
    await said('b'.repeat(200));
    git('checkout', '-q', 'HEAD~1');
    await said('a'.repeat(200));
    await server.logged('plugins reloaded');
    expect(reloads()).toBe(1);
  });

  it('runs what JSON says, what was missing, and what a link leads to that is set anew', async () => {
    const imports = `import words from './words.json' with { type: 'json' };\nimport { name } from './lib/helper.ts';`;
    write('one.ts', plugin(imports, 'name + words.word'));
    write('two.ts', plugin('', "'the other'"));
    write('words.json', '{ "word": "." }');
    write('lib/helper.ts', helper('first'));
    symlinkSync(at('one.ts'), at('plugin.ts'));
    await serve();
    write('words.json', '{ "word": "!" }');
    await said('first!');
    write('lib/helper.ts', "export { name } from '../other/new.ts';\n");
    await server.logged('the new plugin code does not load');
    write('other/new.ts', helper('new'));
    await said('new!');
    symlinkSync(at('two.ts'), at('plugin.tmp'));
    renameSync(at('plugin.tmp'), at('plugin.ts'));
    await said('the other');
  });
});
