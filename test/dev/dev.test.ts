import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { processesWith } from '../support/processes.ts';
import { cliPath } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

const plugin = (answer: string, fields = ''): string => `
import { definePlugin, z } from 'kong-ts';
import { helped } from './_helper.ts';
export default definePlugin({
  name: 'hello', version: '1.0.0', priority: 10,
  config: z.object({ word: z.string()${fields} }),
  async access(kong, config) {
    if ((await kong.request.getQueryArg('break')) !== null) throw new Error('broken on purpose');
    const said = await kong.request.getQueryArg('say');
    if (typeof said === 'string') console.log(said);
    await kong.response.setHeader('x-word', config.word);
    return kong.response.exit(200, { answer: '${answer}', helped, config });
  },
});
`;

let folder: string;
let ports: { proxy: number; admin: number; hooks: number; upstream: number; inspect: number };
let dev: ChildProcess;
let output = '';

const file = (name: string): string => path.join(folder, name);

async function answer(query = ''): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${String(ports.proxy)}/${query}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function untilAnswer(wanted: (body: Record<string, unknown>) => boolean): Promise<void> {
  await until('the answer', async () => (wanted((await answer()).body) ? true : null));
}

const untilPrinted = (text: string): Promise<true> =>
  until(`"${text}"`, () => {
    if (dev.exitCode !== null) throw new Error(`it ended: ${output}`);
    return output.includes(text) ? true : null;
  });

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kong-ts-dev-test-')));
  writeFileSync(file('package.json'), '{ "type": "module" }');
  // No arguments: it finds ./plugins, and leaves the helper out.
  const plugins = path.join(folder, 'plugins');
  const { mkdirSync } = await import('node:fs');
  mkdirSync(plugins);
  writeFileSync(file('plugins/hello.ts'), plugin('first'));
  writeFileSync(file('plugins/_helper.ts'), `export const helped = 'a';\n`);
  ports = {
    proxy: await freePort(),
    admin: await freePort(),
    hooks: await freePort(),
    upstream: await freePort(),
    inspect: await freePort(),
  };
  const args = [
    ...['dev', '--proxy-port', String(ports.proxy), '--admin-port', String(ports.admin)],
    ...['--event-hooks-port', String(ports.hooks), '--upstream-port', String(ports.upstream)],
    ...['--inspect', `127.0.0.1:${String(ports.inspect)}`],
  ];
  dev = spawn(process.execPath, [cliPath, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const collect = (text: string): void => void (output += text);
  dev.stdout?.setEncoding('utf8').on('data', collect);
  dev.stderr?.setEncoding('utf8').on('data', collect);
  await untilPrinted('Ctrl-C ends all of it.');
});

afterAll(async () => {
  if (dev.exitCode === null && dev.signalCode === null) {
    const exit = once(dev, 'exit');
    dev.kill('SIGKILL');
    await exit;
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('kong-ts dev, without arguments', () => {
  it('makes a kong.yml that loads, with a value for what the schema requires, and says what to try', async () => {
    expect(readFileSync(file('kong.yml'), 'utf8')).toContain('word: change-me');
    expect(output).toContain(`curl -i 'http://127.0.0.1:${String(ports.proxy)}/'`);
    const { status, body } = await answer();
    expect(status).toBe(200);
    expect(body).toEqual({ answer: 'first', helped: 'a', config: { word: 'change-me' } });
  });

  it('prints one line for a request, with the phase, its calls and its frames', async () => {
    await answer('?once');
    await untilPrinted('GET /?once');
    const [line = ''] = output.split('\n').filter((each) => each.includes('GET /?once'));
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d GET \/\?once 200 [\d.]+ ms \| hello access [\d.]+ ms \d calls? \d+ frames$/,
    );
  });

  it('shows what a plugin throws with its place, and goes on', async () => {
    expect((await answer('?break')).status).toBe(500);
    await untilPrinted('plugins/hello.ts:8');
    expect(output).toContain('broken on purpose');
    expect((await answer()).status).toBe(200);
  });

  it('shows what a plugin prints of a client without acting on it, also if it looks like a line of the server', async () => {
    const line = { level: 'info', message: 'a debugger can attach', url: 'here \u001b[2J' };
    await answer(`?say=${encodeURIComponent(JSON.stringify(line))}`);
    await untilPrinted('here \\u001b[2J');
    expect(output).not.toContain('\u001b[2J');
  });

  it('takes over a plugin, its helper and kong.yml when they are saved', async () => {
    writeFileSync(file('plugins/hello.ts'), plugin('second'));
    await untilAnswer((body) => body['answer'] === 'second');
    writeFileSync(file('plugins/_helper.ts'), `export const helped = 'b';\n`);
    await untilAnswer((body) => body['helped'] === 'b');
    const config = readFileSync(file('kong.yml'), 'utf8');
    writeFileSync(file('kong.yml'), config.replace('change-me', 'mine'));
    await untilAnswer((body) => (body['config'] as { word: string }).word === 'mine');
  });

  it('takes over a changed schema, with its new default', async () => {
    writeFileSync(file('plugins/hello.ts'), plugin('third', ', times: z.int().default(3)'));
    await untilAnswer((body) => (body['config'] as { times?: number }).times === 3);
    const schema = await fetch(`http://127.0.0.1:${String(ports.admin)}/schemas/plugins/hello`);
    expect(await schema.text()).toContain('"times"');
  });

  it('keeps what runs while a file is broken, says so, and goes on when it is mended', async () => {
    const config = readFileSync(file('kong.yml'), 'utf8');
    writeFileSync(file('kong.yml'), config.replace('word: mine', 'word: 7'));
    await untilPrinted('expected a string');
    writeFileSync(file('plugins/_helper.ts'), 'this is no program\n');
    await untilPrinted('the new plugin code does not load');
    expect((await answer()).body).toMatchObject({ answer: 'third', helped: 'b' });
    writeFileSync(file('plugins/_helper.ts'), `export const helped = 'c';\n`);
    writeFileSync(file('kong.yml'), config.replace('word: mine', 'word: yours'));
    await untilAnswer(
      (body) => body['helped'] === 'c' && (body['config'] as { word: string }).word === 'yours',
    );
  });

  it('has a debugger attach to the worker that runs now', async () => {
    const targets = await until('the debugger', async () => {
      const response = await fetch(`http://127.0.0.1:${String(ports.inspect)}/json/list`).catch(() => null);
      return response === null ? null : ((await response.json()) as { webSocketDebuggerUrl: string }[]);
    });
    expect(targets).toHaveLength(1);
  });

  it('ends with Ctrl-C and leaves nothing behind', async () => {
    const exit = once(dev, 'exit');
    dev.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
    expect(output).toContain('Stopping.');
    const [socketFolder = ''] = /kong-ts-dev-(?!test)\w+/.exec(processesWith('kong-ts-dev-').join()) ?? [];
    expect(socketFolder).toBe('');
    expect(processesWith(String(ports.hooks))).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual(['kong.yml', 'package.json', 'plugins']);
  });
});
