import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/run-cli.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-js-pluginserver-'));
  mkdirSync(path.join(folder, 'plugins'));
  const plugin = `module.exports = { Plugin: class { async access() {} }, Schema: [], Version: '0.1.0' }`;
  writeFileSync(path.join(folder, 'plugins', 'hello.js'), plugin);
  writeFileSync(path.join(folder, 'plugins', 'goodbye.js'), `console.log('noise');\n${plugin}`);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('kong-ts js-pluginserver', () => {
  it.each([
    ['its options', ['-d', 'plugins', '--dump-all-plugins']],
    ['long options with one dash', ['-plugins-directory', './plugins/', '-dump-all-plugins', '-v', '-v']],
  ])('prints all plugins of a relative directory as a bare list: %s', async (_what, args) => {
    const { status, stdout, stderr } = await runCli(['js-pluginserver', ...args], { cwd: folder });
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'noise\n' });
    const list = JSON.parse(stdout) as { Name: string; Phases: string[] }[];
    expect(list.map(({ Name }) => Name)).toEqual(['goodbye', 'hello']);
    expect(list[0]?.Phases).toEqual(['access']);
  });

  it('prints one plugin as MessagePack', async () => {
    const args = ['js-pluginserver', '-d', 'plugins', '--dump-plugin-info', 'hello'];
    const { status, stdout } = await runCli(args, { cwd: folder });
    expect(status).toBe(0);
    expect(stdout).toMatch(/Name.hello.Version.0\.1\.0/);
  });

  it('says what is missing', async () => {
    expect((await runCli(['js-pluginserver'])).stderr).toMatch(
      /required option '-d, --plugins-directory <dir>'/,
    );
    const unknown = await runCli(['js-pluginserver', '-d', 'plugins', '--dump-plugin-info', 'x'], {
      cwd: folder,
    });
    expect(unknown).toMatchObject({ status: 1, stdout: '' });
    expect(unknown.stderr).toMatch(/no plugin "x".*goodbye, hello/);
    const nowhere = await runCli(['js-pluginserver', '-d', 'nowhere', '--dump-all-plugins'], { cwd: folder });
    expect(nowhere.stderr).toMatch(/plugins directory .*nowhere cannot be read/);
  });
});
