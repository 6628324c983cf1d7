import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { send } from './support/client.ts';

const bin = fileURLToPath(new URL('../../bin/kong-ts.js', import.meta.url));
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'kong-ts-cmd-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function run(args: string[]): {
  output: () => string;
  ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
} {
  const child = spawn(process.execPath, [bin, 'sandbox', ...args], {
    env: { ...process.env, TMPDIR: directory },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output: () => output, ended, signal: (name) => child.kill(name) };
}

const config = (name: string): string =>
  JSON.stringify({ _format_version: '3.0', services: [{ name, url: 'http://127.0.0.1:1' }] });

test('starts, says what it is, reloads on SIGHUP, and leaves nothing behind', async () => {
  const file = path.join(directory, 'kong.json');
  writeFileSync(file, config('one'));
  const command = run(['--config', file, '--proxy-listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0']);
  await vi.waitUntil(() => command.output().includes('Admin API'), { timeout: 20_000 });
  expect(command.output()).toContain('for development only');
  const admin = /Admin API\s+(\S+)/.exec(command.output())?.[1] ?? '';
  expect((await send(`${admin}/services/one`)).status).toBe(200);
  writeFileSync(file, config('two'));
  command.signal('SIGHUP');
  await vi.waitUntil(() => command.output().includes('reloaded'), { timeout: 20_000 });
  expect((await send(`${admin}/services/two`)).status).toBe(200);
  command.signal('SIGINT');
  expect(await command.ended).toBe(0);
  // Node's cache of compiled code is one folder per user, and stays.
  const left = readdirSync(directory).filter((name) => /^kong-ts-(?!compile-cache-)/.test(name));
  expect(left).toEqual([]);
});

test('a taken port is named, and the option that changes it', async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const command = run(['--admin-listen', 'off', '--proxy-listen', `127.0.0.1:${String(port)}`]);
  expect(await command.ended).toBe(1);
  expect(command.output()).toContain(`Port ${String(port)} on 127.0.0.1 is taken by another process.`);
  expect(command.output()).toContain('--proxy-listen');
  await new Promise((resolve) => server.close(resolve));
});

test('--strict refuses what the sandbox does not run, and names all of it', async () => {
  const file = path.join(directory, 'kong.json');
  writeFileSync(
    file,
    JSON.stringify({
      _format_version: '3.0',
      vaults: [{ name: 'env', prefix: 'my-env' }],
      plugins: [{ name: 'cors' }],
    }),
  );
  const listen = ['--proxy-listen', 'off', '--admin-listen', 'off'];
  const command = run(['--config', file, '--strict', ...listen]);
  expect(await command.ended).toBe(1);
  expect(command.output()).toContain("Kong's own plugins cors and the sections vaults");
  expect(command.output()).toContain('strict');
});
