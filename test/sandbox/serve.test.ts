import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { send } from './support/client.ts';
import type { Upstream } from './support/upstream.ts';
import { echoUpstream } from './support/upstream.ts';

const bin = fileURLToPath(new URL('../../bin/kong-ts.js', import.meta.url));

const pluginSource = (name: string, protocol: string): string => `
import { definePlugin } from 'kong-ts';
import { z } from 'zod';
export default definePlugin({
  name: '${name}', version: '1.0.0', priority: 10, protocol: '${protocol}',
  config: z.object({ greeting: z.string().default('hi') }),
  async access(kong, config) {
    const [agent, body] = await Promise.all([kong.request.getHeader('x-who'), kong.request.getRawBody()]);
    if (agent === 'thief') await kong.response.exit(403, { message: 'no' });
    await kong.response.setHeader('x-${name}', config.greeting + ' ' + agent + ' ' + body.length);
    await kong.service.request.setHeader('x-seen-by-${name}', 'yes');
    await kong.ctx.shared.set('agent', agent);
  },
  async log(kong) {
    const record = await kong.log.serialize();
    await kong.log.notice('logged ' + record.request.method + ' for ' + (await kong.ctx.shared.get('agent')));
  },
});
`;

let directory: string;
let server: ChildProcess;
let upstream: Upstream;
let sandbox: Sandbox;
const logs: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'kong-ts-e2e-'));
  upstream = await echoUpstream();
  const socket = path.join(directory, 'plugins.socket');
  const plugins = [
    ['first', 'protobuf'],
    ['second', 'msgpack'],
  ].map(([name = '', protocol = '']) => {
    const file = path.join(directory, `${name}.ts`);
    writeFileSync(file, pluginSource(name, protocol));
    return { name, file };
  });
  const files = plugins.map(({ file }) => file);
  server = spawn(process.execPath, [bin, 'serve', ...files, '--socket', socket, '--workers', '0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const config = path.join(directory, 'kong.json');
  writeFileSync(
    config,
    JSON.stringify({
      _format_version: '3.0',
      services: [
        {
          name: 's',
          url: `http://127.0.0.1:${String(upstream.port)}`,
          routes: [{ name: 'r', paths: ['/'] }],
        },
      ],
      plugins: [{ name: 'first' }, { name: 'second', config: { greeting: 'hello' } }],
    }),
  );
  const query = (file: string): string => `${process.execPath} ${bin} dump ${file}`;
  sandbox = await startSandbox({
    config: [config],
    proxyListen: '127.0.0.1:0',
    adminListen: 'off',
    prefix: directory,
    pluginServers: plugins.map(({ name, file }) => ({ name, socket, queryCommand: query(file) })),
    log: (level, message) => logs.push(`${level} ${message}`),
  });
  await vi.waitUntil(() => existsSync(socket), { timeout: 20_000 });
});

afterAll(async () => {
  await sandbox.close();
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await ended;
  await upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the sandbox with kong-ts serve', () => {
  test('runs plugins of both protocols from one socket', async () => {
    const answer = await send(sandbox.proxyUrl ?? '', {
      method: 'POST',
      headers: { 'x-who': 'me' },
      body: 'abc',
    });
    expect([answer.status, answer.headers['x-first'], answer.headers['x-second']]).toEqual([
      200,
      'hi me 3',
      'hello me 3',
    ]);
    expect(upstream.requests[0]?.headers).toMatchObject({
      'x-seen-by-first': 'yes',
      'x-seen-by-second': 'yes',
    });
    await expect
      .poll(
        () => logs.filter((line) => line.startsWith('notice') && line.includes('logged POST for me')).length,
      )
      .toBe(2);
  });

  test('a body on disk is read by both', async () => {
    const body = Buffer.alloc(60_000, 'z');
    const answer = await send(sandbox.proxyUrl ?? '', { method: 'POST', headers: { 'x-who': 'me' }, body });
    expect([answer.headers['x-first'], answer.headers['x-second']]).toEqual([
      'hi me 60000',
      'hello me 60000',
    ]);
  });

  test('exit ends the request', async () => {
    const answer = await send(sandbox.proxyUrl ?? '', { headers: { 'x-who': 'thief' } });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([403, { message: 'no' }]);
  });

  test('200 requests at once, none lost', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        send(sandbox.proxyUrl ?? '', { headers: { 'x-who': `n${String(n)}` } }),
      ),
    );
    expect(answers.map((answer) => answer.headers['x-first'])).toEqual(
      answers.map((_answer, n) => `hi n${String(n)} 0`),
    );
  });
});
