import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { describe, it } from 'vitest';
import { FakeKong } from '../../src/testing/index.ts';
import { loadPlugin } from '../../src/plugin/loader.ts';
import { freePort } from '../support/free-port.ts';
import { cliPath } from '../support/run-cli.ts';

/** What others may do with a socket by design, see docs/security.md; everything else is the owner's alone. */
const shared: Readonly<Record<string, number>> = {
  'plugin.sock': 0o660,
  'hooks.sock': 0o660,
  'kong-ts.sock': 0o660,
};

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

it(
  'with umask 000 nothing that the demo and the sandbox write is for others, of the servers that they start neither',
  { timeout: 60_000 },
  async ({ expect, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'kong-ts-modes-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    for (const made of ['demo', 'prefix', 'prefix/client_body_temp'])
      mkdirSync(join(folder, made), { mode: 0o755 });
    const socket = join(folder, 'prefix', 'plugin.sock');
    const kongTs = `${process.execPath} ${cliPath}`;
    const [proxy, admin, eventHooks, upstream, gateway] = await Promise.all(
      Array.from({ length: 5 }, async () => String(await freePort())),
    );
    start(
      onTestFinished,
      '000',
      ...['demo', '--data-dir', join(folder, 'demo'), '--proxy-port', String(proxy)],
      ...['--admin-port', String(admin), '--event-hooks-port', String(eventHooks)],
      ...['--upstream-port', String(upstream)],
    );
    const config = join(folder, 'kong.json');
    const service = { name: 's', url: 'http://127.0.0.1:9', routes: [{ name: 'r', paths: ['/'] }] };
    writeFileSync(config, JSON.stringify({ _format_version: '3.0', services: [service] }), {
      mode: 0o600,
    });
    start(
      onTestFinished,
      '000',
      ...['sandbox', '--config', config, '--prefix', join(folder, 'prefix'), '--admin-listen', 'off'],
      ...['--proxy-listen', `127.0.0.1:${String(gateway)}`, '--plugins', 'bundled,http-log-enterprise'],
      '--plugin-server',
      `http-log-enterprise=${socket},query=${kongTs} dump http-log-enterprise,start=${kongTs} serve http-log-enterprise --socket ${socket} --workers 1 --data-dir ${join(folder, 'prefix', 'data')}`,
    );
    // A body that is too large for the memory of nginx.
    const answered = async (): Promise<number> => {
      const body = 'x'.repeat(100_000);
      const answer = fetch(`http://127.0.0.1:${String(gateway)}/`, { method: 'POST', body });
      return answer.then(
        ({ status }) => status,
        () => 0,
      );
    };
    await expect.poll(answered, { timeout: 30_000 }).toBe(502);
    const names = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const wanted = ['event-hooks.db', 'serve.log', 'sandbox.log', 'team-blue.yml', 'plugin.sock'];
    await expect
      .poll(() => wanted.filter((name) => !names().some((one) => one.endsWith(name))), {
        timeout: 30_000,
      })
      .toEqual([]);
    // The folders that were there before, and hold other things, too.
    expect(
      open(folder).filter((entry) => !/^(demo|prefix|prefix\/client_body_temp) 755$/.test(entry)),
    ).toEqual([]);
  },
);
