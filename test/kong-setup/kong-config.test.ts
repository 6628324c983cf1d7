import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { ownCommand } from '../../src/cli/kong-config.ts';
import { compileSandboxOptions } from '../../src/cli/sandbox-options.ts';
import { parseEnvFile, parseKongConf } from '../../src/kong-setup/kong-conf.ts';
import { formats, render } from '../../src/kong-setup/formats.ts';
import { kongSettings } from '../../src/kong-setup/settings.ts';
import { factsOf } from '../../src/kong-setup/versions.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { cliPath, runCli } from '../support/run-cli.ts';

// What kong-config prints is given to a real gateway, which starts or finds the plugin server with it and nothing else.

type Environment = Record<string, string>;

let folder: string;
let upstream: http.Server;
let declarative: string;

const plugin = (name: string): string => `import { definePlugin } from 'kong-ts';
export default definePlugin({ name: '${name}', version: '1.0.0', priority: 10,
  async access(kong) { await kong.response.setHeader('x-${name}', 'here'); } });\n`;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kong-ts-config-')));
  for (const name of ['first', 'second']) writeFileSync(path.join(folder, `${name}.ts`), plugin(name));
  mkdirSync(path.join(folder, 'bin'));
  const words = `"${process.execPath}" "${cliPath}"`;
  writeFileSync(path.join(folder, 'bin', 'kong-ts'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  upstream = http.createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  declarative = path.join(folder, 'kong.yml');
  const url = `http://127.0.0.1:${String((upstream.address() as AddressInfo).port)}`;
  writeFileSync(
    declarative,
    JSON.stringify({
      _format_version: '3.0',
      services: [{ name: 'echo', url, routes: [{ name: 'echo', paths: ['/'] }] }],
      plugins: [{ name: 'first' }, { name: 'second' }],
    }),
  );
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await new Promise((resolve) => upstream.close(resolve));
});

/** The first format by the command itself, the others by what it calls: a process for each would take its time. */
async function printAll(mode: 'managed' | 'sidecar', socket: string): Promise<string[]> {
  const options = ['--mode', mode, '--socket', socket];
  const { status, stdout, stderr } = await runCli(
    ['kong-config', './first.ts', './second.ts', ...options, '--format', 'env'],
    { cwd: folder },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const result = kongSettings({
    plugins: ['first', 'second'].map((name) => ({
      name,
      spec: path.join(folder, `${name}.ts`),
      protocol: 'protobuf',
      folder,
    })),
    facts: factsOf('3.9'),
    mode,
    socket,
    dumpFolder: path.dirname(socket),
    command: ownCommand(),
  });
  expect(render(result, 'env')).toBe(stdout);
  return formats.map((format) => render(result, format));
}

/** The environment that each format comes to, read as its own readers do. */
function environmentOf(format: string, text: string): Environment {
  switch (format) {
    case 'env': {
      // By a shell: `set -a; . file`.
      const file = path.join(folder, 'env.sh');
      writeFileSync(file, text);
      const script = 'set -a; . "$0"; exec env';
      const { stdout } = spawnSync('/bin/sh', ['-c', script, file], { env: {}, encoding: 'utf8' });
      return parseEnvFile(stdout.replace(/^(?!KONG_).*\n/gm, ''));
    }
    case 'env-file':
      return Object.fromEntries(
        text
          .split('\n')
          .filter((line) => line !== '' && !line.startsWith('#'))
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
    case 'compose':
      return (parse(text) as { services: { kong: { environment: Environment } } }).services.kong.environment;
    case 'helm':
      return Object.fromEntries(
        Object.entries((parse(text) as { env: Environment }).env).map(([key, value]) => [
          `KONG_${key.toUpperCase()}`,
          value,
        ]),
      );
    case 'conf':
      return Object.fromEntries(
        [...parseKongConf(text)].map(([key, value]) => [`KONG_${key.toUpperCase()}`, value]),
      );
    default:
      throw new Error(`there is no format ${format}`);
  }
}

/** Starts a gateway with the printed text alone and sends one request through it; the plugins' headers. */
async function headersThrough(format: string, text: string): Promise<(string | null)[]> {
  const conf = path.join(folder, 'kong.conf');
  if (format === 'conf') writeFileSync(conf, text);
  const flags = { config: [declarative], pluginServer: [], proxyListen: '127.0.0.1:0', adminListen: 'off' };
  const options =
    format === 'conf'
      ? compileSandboxOptions({ ...flags, kongConf: conf }, {})
      : compileSandboxOptions(flags, environmentOf(format, text));
  const sandbox = await startSandbox({ ...options, log: () => undefined });
  try {
    const answer = await vi.waitUntil(
      async () => {
        const each = await fetch(sandbox.proxyUrl ?? '');
        await each.arrayBuffer();
        return each.status === 200 ? each : false;
      },
      { timeout: 30_000, interval: 50 },
    );
    return [answer.headers.get('x-first'), answer.headers.get('x-second')];
  } finally {
    await sandbox.close();
  }
}

describe('kong-config, given to a gateway', { timeout: 120_000 }, () => {
  // A start takes its time: one format starts the server, and the others have to say the same to their readers.
  it('managed: the gateway starts the server itself', async () => {
    const texts = await printAll('managed', path.join(folder, 'managed.socket'));
    const [env = '', envFile = '', conf = '', compose = '', helm = ''] = texts;
    expect(await headersThrough('conf', conf)).toEqual(['here', 'here']);
    const wanted = environmentOf('env', env);
    expect(environmentOf('conf', conf)).toEqual(wanted);
    expect(Object.keys(wanted)).toHaveLength(7);
    expect(environmentOf('env-file', envFile)).toEqual(wanted);
    expect(environmentOf('compose', compose)).toEqual(wanted);
    expect(environmentOf('helm', helm)).toEqual(wanted);
  });

  it('sidecar: the printed lines serve, and every format finds them', async () => {
    const shared = path.join(folder, 'shared');
    mkdirSync(shared);
    const texts = await printAll('sidecar', path.join(shared, 'kong-ts.socket'));
    const lines = [...(texts[0] ?? '').matchAll(/^# {3}(kong-ts .*)$/gm)].map(([, line]) => line ?? '');
    expect(lines).toHaveLength(3);
    const server = beside(lines);
    try {
      await vi.waitUntil(() => existsSync(path.join(shared, 'kong-ts.socket')), { timeout: 60_000 });
      for (const [index, format] of formats.entries())
        expect([format, ...(await headersThrough(format, texts[index] ?? ''))]).toEqual([
          format,
          'here',
          'here',
        ]);
    } finally {
      const ended = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGTERM');
      await ended;
    }
  });
});

/** Runs shell lines one after the other; the last one stays as the process itself. */
function beside(lines: readonly string[]): ChildProcess {
  const script = [...lines.slice(0, -1), `exec ${lines.at(-1) ?? ''} --workers 1`].join('\n');
  const searchPath = `${path.join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
  return spawn('/bin/sh', ['-ec', script], { env: { ...process.env, PATH: searchPath }, stdio: 'ignore' });
}
