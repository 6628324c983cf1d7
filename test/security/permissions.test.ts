import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { describe, it } from 'vitest';
import { FakeKong } from '../../src/testing/index.ts';
import { loadPlugin } from '../../src/plugin/loader.ts';
import { cliPath } from '../support/run-cli.ts';

/** What others may do with a socket by design, see docs/security.md; everything else is the owner's alone. */
const shared: Readonly<Record<string, number>> = { 'plugin.sock': 0o660, 'hooks.sock': 0o660 };

/** A command of kong-ts with an umask, until the test ends. */
function start(onTestFinished: TestContext['onTestFinished'], umask: string, ...args: string[]): void {
  const child = spawn('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', process.execPath, cliPath, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
}

/** Every entry below a folder whose mode is not the one that it should have. */
function open(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (stats === undefined) return [];
    const wanted = stats.isDirectory() ? 0o700 : (shared[name.split('/').at(-1) ?? ''] ?? 0o600);
    return (stats.mode & 0o777) === wanted ? [] : [`${name} ${(stats.mode & 0o777).toString(8)}`];
  });
}

describe.concurrent.each(['000', '022'])(
  'with umask %s, in folders that were there with mode 755',
  (umask) => {
    it(
      'nothing that servers write is for others',
      { timeout: 60_000 },
      async ({ expect, onTestFinished }) => {
        const folder = mkdtempSync(join(tmpdir(), 'kong-ts-modes-'));
        onTestFinished(() => {
          rmSync(folder, { recursive: true, force: true });
        });
        const data = join(folder, 'data');
        for (const made of [
          'data',
          'data/event-hooks',
          'data/plugins',
          'data/plugins/http-log-enterprise',
          'hooks',
        ])
          mkdirSync(join(folder, made), { mode: 0o755 });
        const socket = join(folder, 'run', 'plugin.sock');
        start(
          onTestFinished,
          umask,
          'serve',
          'http-log-enterprise',
          '--socket',
          socket,
          '--data-dir',
          data,
          '--workers',
          '1',
          '--drain-timeout',
          '100',
        );
        start(
          onTestFinished,
          umask,
          ...['hooks', 'serve', '--listen', `unix:${join(folder, 'run2', 'hooks.sock')}`],
          ...['--admin', `unix:${join(folder, 'run2', 'admin.sock')}`, '--data-dir', join(folder, 'hooks')],
        );
        await expect
          .poll(() => existsSync(socket) && existsSync(join(folder, 'run2', 'admin.sock')), {
            timeout: 30_000,
          })
          .toBe(true);
        const kong = new FakeKong({ socket, protocol: 'protobuf' });
        onTestFinished(() => {
          kong.close();
        });
        const instance = await kong.startInstance(await loadPlugin('http-log-enterprise'), {
          config: { http_endpoint: 'http://127.0.0.1:9/logs', shutdown_grace: 0 },
        });
        await instance.request().run();
        const names = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
        await expect
          .poll(() => names().some((name) => name.endsWith('.seg')), { timeout: 20_000 })
          .toBe(true);
        await expect.poll(() => names().some((name) => name.endsWith('.db')), { timeout: 20_000 }).toBe(true);
        kong.close();
        expect(open(folder).filter((entry) => !/^run2? 711$|client_body_temp/.test(entry))).toEqual([]);
      },
    );
  },
);
