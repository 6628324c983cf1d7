import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks } from '../support/documentation.ts';
import { freePort } from '../support/free-port.ts';
import { cliPath, runCli } from '../support/run-cli.ts';

const page = new URL('../../README.md', import.meta.url);
const blocks = codeBlocks(page);
const files = blocks.filter(({ file }) => file !== null);

let folder: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-readme-'));
  for (const { file, text } of files) writeFileSync(path.join(folder, file ?? ''), text);
});

afterAll(async () => {
  for (const child of children.toReversed()) {
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The command in the README that starts so, with this process's Node and free ports in place of its own. */
function command(start: string, replacements: Record<string, string>): string {
  const text = blocks.find(({ language, text: line }) => language === 'sh' && line.startsWith(start))?.text;
  if (text === undefined) throw new Error(`the README has no command ${start}`);
  const own = text.trim().replaceAll('npx kong-ts', `'${process.execPath}' '${cliPath}'`);
  return Object.entries(replacements).reduce((line, [from, to]) => line.replaceAll(from, to), own);
}

function start(line: string): void {
  children.push(spawn('/bin/sh', ['-c', `exec ${line}`], { cwd: folder, stdio: 'ignore' }));
}

async function answer(url: string): Promise<Response> {
  for (let tries = 0; tries < 300; tries += 1) {
    const response = await fetch(url).catch(() => null);
    if (response !== null) return response;
    await sleep(100);
  }
  throw new Error(`${url} does not answer`);
}

describe('the README', () => {
  it('names the two commands', () => {
    const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text.trim());
    expect(commands).toContain('npm ci && npm start');
    expect(commands).toContain('npm ci && npm test');
  });

  it('has plugins that load', async () => {
    for (const name of ['hello.ts', 'counter.ts', 'events.ts']) {
      const { status, stderr } = await runCli(['dump', name], { cwd: folder });
      expect({ name, status, stderr }).toEqual({ name, status: 0, stderr: '' });
    }
  });

  it('has a first plugin that answers as it says, with its own commands', async () => {
    const [proxy, admin] = [await freePort(), await freePort()];
    const socket = { '/tmp/hello.sock': path.join(folder, 'hello.sock') };
    start(command('npx kong-ts serve ./hello.ts', socket));
    const listen = ` --proxy-listen 127.0.0.1:${proxy} --admin-listen 127.0.0.1:${admin}`;
    start(command('npx kong-ts sandbox', socket) + listen);
    const url = /'(http:[^']*)'/.exec(command("curl -s 'http", { '8000': String(proxy) }))?.[1] ?? '';
    const response = await answer(url);
    const said = /answers `(\{.*?\})`/.exec(readFileSync(page, 'utf8'))?.[1];
    expect(await response.json()).toEqual(JSON.parse(said ?? 'null'));
    expect(response.headers.get('x-served-by')).toBe('hello');
    expect((await answer(url.replace(/\?.*/, ''))).status).toBe(400);
  }, 60_000);
});
