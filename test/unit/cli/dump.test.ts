import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DumpDocument } from '../../../src/plugin/dump.ts';
import { cliPath, runCli } from '../../support/run-cli.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-dump-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
}

const plugin = (name: string, more = ''): string =>
  `import { definePlugin, z } from 'kong-ts';
export default definePlugin({ name: '${name}', version: '1.2.3', priority: 7, ${more} config: z.object({ a: z.int() }), access() {} });\n`;

describe('kong-ts dump', () => {
  it('prints the document that Kong asks for', async () => {
    const { status, stdout, stderr } = await runCli(['dump', file('plain.ts', plugin('plain'))]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      Protocol: 'ProtoBuf:1',
      Plugins: [
        {
          Name: 'plain',
          Version: '1.2.3',
          Priority: 7,
          Phases: ['access'],
          Schema: {
            name: 'plain',
            fields: [
              {
                config: {
                  type: 'record',
                  required: true,
                  fields: [{ a: { type: 'integer', required: true } }],
                },
              },
            ],
          },
        },
      ],
    });
  });

  it('prints nothing else, whatever the plugin prints, leaves open or awaits', async () => {
    const noisy = file(
      'noisy.ts',
      `import { execSync } from 'node:child_process';
import fs from 'node:fs';
console.log('by console');
process.stdout.write('by stream\\n');
fs.writeSync(1, 'by descriptor\\n');
execSync('echo by child', { stdio: 'inherit' });
setInterval(() => undefined, 1000);
await Promise.resolve();
${plugin('noisy', "protocol: 'msgpack',")}`,
    );
    const { status, stdout, stderr } = await runCli(['dump', noisy]);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as DumpDocument).Protocol).toBe('MsgPack:1');
    expect(stdout.trim().split('\n')).toHaveLength(1);
    for (const source of ['console', 'stream', 'descriptor', 'child']) {
      expect(stderr).toContain(`by ${source}`);
    }
  });

  it('keeps a pipe and a file clean as well', () => {
    const noisy = file('pipe.ts', `import fs from 'node:fs';\nfs.writeSync(1, 'noise');\n${plugin('pipe')}`);
    const dump = `'${process.execPath}' '${cliPath}' dump '${noisy}' 2>/dev/null`;
    const piped = execFileSync('/bin/sh', ['-c', `${dump} | cat`], { encoding: 'utf8' });
    execFileSync('/bin/sh', ['-c', `{ echo before; ${dump}; echo after; } > '${folder}/out'`]);
    expect(JSON.parse(piped)).toHaveProperty('Plugins');
    expect(readFileSync(path.join(folder, 'out'), 'utf8')).toBe(`before\n${piped}after\n`);
  });

  it('prints several plugins and says which of them Kong reads', async () => {
    const specs = ['one', 'two'].map((name) => file(`${name}.mjs`, plugin(name)));
    const { status, stdout, stderr } = await runCli(['dump', ...specs]);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as DumpDocument).Plugins.map(({ Name }) => Name)).toEqual(['one', 'two']);
    expect(stderr).toMatch(/reads only the first plugin of a dump \(one\), not two/);
  });

  it.each<[string, string, RegExp]>([
    ['process.exit(0) while loading', 'process.exit(0);', /ended the process \(status 0\)/],
    ['a top-level await that never settles', 'await new Promise(() => {});', /never settle/],
    [
      'an error in a timer',
      "setTimeout(() => { throw new Error('late'); }, 1); await new Promise((done) => setTimeout(done, 5000));",
      /^kong-ts: The plugin \S+bad\.mjs failed while it was loaded: late\. /m,
    ],
    [
      'a promise that nobody handles',
      "Promise.reject(new Error('unseen')); await new Promise((done) => setTimeout(done, 5000));",
      /^kong-ts: The plugin \S+bad\.mjs failed while it was loaded: unseen\. /m,
    ],
    [
      'a schema that Kong cannot have',
      "import { definePlugin as d, z as y } from 'kong-ts'; d({ name: 'b', config: y.object({ f: y.date() }), version: '1.0.0', log() {} });",
      /^kong-ts: The plugin \S+bad\.mjs cannot be loaded: config\.f: z\.date\(\) has no counterpart/,
    ],
    ['a throw', "throw new Error('broken');", /^kong-ts: The plugin .*bad\.mjs:1 cannot be loaded: broken/],
  ])('reports %s', async (_what, text, message) => {
    const { status, stdout, stderr } = await runCli(['dump', file('bad.mjs', `${text}\n${plugin('bad')}`)]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('kong-ts:')),
    ).toHaveLength(1);
  });
});

describe('kong-ts', () => {
  it('tells its commands and its version', async () => {
    const help = await runCli(['--help']);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(/dump .*query_cmd/);
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await runCli(['dump', '--help'])).stdout).toContain('Usage: kong-ts dump');
  });

  it('reports a command line that it does not understand in one line, with status 2', async () => {
    expect(await runCli(['dmup'])).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^kong-ts: There is no command "dmup"\. Did you mean dump\? Commands are: .*\n$/,
      ) as string,
    });
    expect(await runCli(['dump'])).toEqual({
      status: 2,
      stdout: '',
      stderr: "kong-ts: missing required argument 'plugin' (kong-ts dump --help)\n",
    });
  });
});
