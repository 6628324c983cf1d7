import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../../../src/sandbox/index.ts';
import { cliPath, runCli } from '../../support/run-cli.ts';

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

  it('serves a plugin to the gateway, which answers what the plugin says', async () => {
    mkdirSync(path.join(folder, 'served'));
    mkdirSync(path.join(folder, 'prefix'));
    writeFileSync(
      path.join(folder, 'served', 'shout.js'),
      `class Shout {
  constructor(config) { this.config = config }
  async access(kong) {
    const host = await kong.request.getHeader('x-absent');
    const body = await kong.request.getRawBody();
    if (host === undefined) {
      await kong.response.exit(200, this.config.prefix + body.replace(/(.)/g, (char) => char.toUpperCase()));
    }
  }
}
module.exports = { Plugin: Shout, Schema: [{ prefix: { type: 'string' } }], Version: '0.1.0', Priority: 1 }`,
    );
    writeFileSync(
      path.join(folder, 'kong.yml'),
      `_format_version: '3.0'
services:
  - url: http://127.0.0.1:9
    routes: [{ paths: [/] }]
    plugins: [{ name: shout, config: { prefix: 'said ' } }]`,
    );
    const server = serveFolder();
    const cli = `'${process.execPath}' '${cliPath}'`;
    const sandbox = await startSandbox({
      config: [path.join(folder, 'kong.yml')],
      proxyListen: '127.0.0.1:0',
      adminListen: 'off',
      log: () => undefined,
      pluginServers: [
        {
          name: 'shout',
          socket: path.join(folder, 'prefix', 'js.sock'),
          queryCommand: `${cli} js-pluginserver -d '${folder}/served' --dump-all-plugins`,
        },
      ],
    });
    try {
      await untilExists(path.join(folder, 'prefix', 'js.sock'));
      const response = await fetch(`${sandbox.proxyUrl}/`, { method: 'POST', body: 'hello' });
      expect([response.status, await response.text()]).toEqual([200, 'said HELLO']);
    } finally {
      await sandbox.close();
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
    expect(existsSync(path.join(folder, 'prefix', 'js.sock'))).toBe(false);
  }, 60_000);
});

function serveFolder(): ChildProcess {
  const args = ['js-pluginserver', '-d', 'served', '--kong-prefix', 'prefix', '--sock-name', 'js.sock'];
  return spawn(process.execPath, [cliPath, ...args], { cwd: folder, stdio: 'ignore' });
}

async function untilExists(file: string): Promise<void> {
  for (let tries = 0; tries < 300 && !existsSync(file); tries += 1) await sleep(50);
}
