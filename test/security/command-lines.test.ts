import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withoutSecretWords } from '../../src/cli/hide-secrets.ts';
import { CliProcess } from '../event-hooks/support/cli-process.ts';
import { tempDir } from '../event-hooks/support/setup.ts';
import { until, Workbench } from '../server/support/server-process.ts';

/** Kong's Admin API, as far as it hears who asks. */
async function listener(): Promise<{ url: string; heard: Set<string> }> {
  const heard = new Set<string>();
  const server = createServer(({ headers }, response) => {
    heard.add(`${headers.authorization ?? ''} ${String(headers['kong-admin-token'] ?? '')}`);
    response.writeHead(503).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://me:pass-word@127.0.0.1:${String((server.address() as AddressInfo).port)}`, heard };
}

/** A hook for what changes in Kong makes the dispatcher look there. */
async function lookAtKong(admin: string): Promise<void> {
  const answer = await fetch(`${admin}/event-hooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ source: 'crud', handler: 'log' }),
  });
  expect(answer.status).toBe(201);
}

const commandLine = (pid: number): string =>
  readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').replaceAll('\0', ' ');
const login = `Basic ${Buffer.from('me:pass-word').toString('base64')} kong-token`;

describe('no list of processes shows', () => {
  it.each([
    [
      'flags',
      (url: string) => ({ args: ['--kong-admin', url, '--kong-admin-token', 'kong-token'], env: {} }),
    ],
    [
      'files',
      (url: string) => {
        const folder = tempDir();
        writeFileSync(join(folder, 'url'), `${url}\n`);
        writeFileSync(join(folder, 'token'), 'kong-token\n');
        return {
          args: ['--kong-admin-file', join(folder, 'url'), '--kong-admin-token-file', join(folder, 'token')],
          env: {},
        };
      },
    ],
  ])(
    'secrets of kong-ts serve, its workers and its dispatcher, which use them: %s',
    async (_name, make) => {
      const kong = await listener();
      const { args } = make(kong.url);
      const bench = await Workbench.create();
      onTestFinished(() => bench.clean());
      const options = [
        '--workers',
        '1',
        '--event-hooks',
        'on',
        '--event-hooks-admin',
        '127.0.0.1:0',
        ...args,
      ];
      const server = await bench.serve(['steady'], ...options).ready();
      await until(async () => (await server.status()).eventHooks?.admin != null, 'the dispatcher');
      const { eventHooks } = await server.status();
      await lookAtKong(eventHooks?.admin ?? '');
      await until(async () => kong.heard.has(login), 'a look at Kong with the login');
      const pids = [server.pid, ...(await server.workerPids()), eventHooks?.pid ?? 0];
      expect(pids).toHaveLength(3);
      const lines = pids.map(commandLine).join('\n');
      expect(lines).toContain('kong-ts.js serve');
      expect(lines).not.toMatch(/pass-word|kong-token/);
      expect(server.log.map((line) => JSON.stringify(line)).join('\n')).not.toMatch(/pass-word|kong-token/);
    },
    60_000,
  );

  it('secrets of kong-ts hooks serve, which takes them from the environment as well', async () => {
    const ready = /"admin":"([^"]+)"/;
    const given: ((url: string) => [string[], Record<string, string>])[] = [
      (url) => [['--kong-admin', url, '--token', 'kong-token'], {}],
      (url) => [[], { KONG_TS_KONG_ADMIN: url, KONG_ADMIN_TOKEN: 'kong-token' }],
    ];
    await Promise.all(
      given.map(async (give) => {
        const kong = await listener();
        const [args, env] = give(kong.url);
        const serve = ['hooks', 'serve', '--admin', '127.0.0.1:0', ...args];
        const { cli, found } = await CliProcess.start(serve, ready, env);
        onTestFinished(async () => {
          await cli.end();
        });
        await lookAtKong(found);
        await until(async () => kong.heard.has(login), 'a look at Kong with the login');
        expect(commandLine(cli.pid)).toMatch(/hooks serve/);
        expect(commandLine(cli.pid)).not.toMatch(/pass-word|kong-token/);
      }),
    );
  }, 60_000);

  it('words that are secrets, in either way to write an option', () => {
    const argv = [
      'serve',
      'a.ts',
      '--kong-admin=https://u:p@k:8001/x',
      '--token',
      't',
      '--kong-admin-token=t',
      'a@b',
    ];
    expect(withoutSecretWords(argv)).toEqual([
      'serve',
      'a.ts',
      '--kong-admin=https://***@k:8001/x',
      '--token',
      '***',
      '--kong-admin-token=***',
      'a@b',
    ]);
    expect(withoutSecretWords(['serve', '--kong-admin', 'http://k:8001'])).toBe(null);
  });
});
