import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { processesWith } from '../support/processes.ts';
import { cliPath, runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

/** Everything of a demo is in this folder: its temporary folder, and so the arguments of its processes. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-demo-end-'));
});

afterEach(() => {
  for (const pid of processesWith(folder)) process.kill(Number(pid), 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function portArguments(): Promise<string[]> {
  const names = ['--proxy-port', '--admin-port', '--event-hooks-port', '--upstream-port'];
  return (await Promise.all(names.map(async (name) => [name, String(await freePort())]))).flat();
}

/** A demo in a process group of its own, as a terminal has it. */
async function start(): Promise<ChildProcess> {
  return spawn(process.execPath, [cliPath, 'demo', ...(await portArguments())], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, TMPDIR: folder },
  });
}

/** What a terminal does at Ctrl-C: the signal goes to every process of the group. */
function interrupt({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGINT');
}

const remains = (): string[] => readdirSync(folder).filter((name) => name.startsWith('kong-ts-demo-'));

/** Whether a process of the demo has this word among its arguments; null for not yet. */
function runs(word: string): true | null {
  const all = new Set(processesWith(word));
  return processesWith(path.join(folder, 'kong-ts-demo-')).some((pid) => all.has(pid)) ? true : null;
}

describe('the end of a demo', () => {
  const parts = {
    'the plugin server': 'serve',
    'the dispatcher': '--exit-with-stdin',
    'the gateway': 'sandbox',
  };
  for (const [part, word] of Object.entries(parts)) {
    it(`leaves nothing behind at a Ctrl-C while ${part} starts`, async () => {
      const demo = await start();
      await until(part, () => runs(word));
      interrupt(demo);
      const [status] = (await once(demo, 'exit')) as [number | null];
      expect(status).toBe(0);
      expect(processesWith(folder)).toEqual([]);
      expect(remains()).toEqual([]);
    });
  }

  it('takes every process along when the demo is killed', async () => {
    const demo = await start();
    for (const [part, word] of Object.entries(parts)) await until(part, () => runs(word));
    demo.kill('SIGKILL');
    await once(demo, 'exit');
    await until('the end of all processes', () => (processesWith(folder).length === 0 ? true : null));
    const [left = ''] = remains();
    expect(readdirSync(path.join(folder, left)).filter((name) => name.includes('sock'))).toEqual([]);
  }, 60_000);
});

describe('a demo that cannot start', () => {
  it('ends with a message when its folder cannot be made', async () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    const failed = await runCli(['demo', ...(await portArguments()), '--data-dir', path.join(file, 'data')]);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/^kong-ts: The folder \S+ cannot be made: ENOTDIR.* --data-dir\b.*\n$/);
    expect(existsSync(file)).toBe(true);
  });

  it('refuses one port for two things', async () => {
    const failed = await runCli(['demo', '--proxy-port', '9080']);
    expect(failed).toEqual({
      status: 2,
      stdout: '',
      stderr: 'kong-ts: --upstream-port and --proxy-port are both 9080: each needs a port of its own.\n',
    });
  });

  it('says when the address is none of this machine', async () => {
    const failed = await runCli(['demo', ...(await portArguments()), '--host', '192.0.2.1']);
    expect(failed.status).toBe(2);
    expect(failed.stderr).toMatch(/^kong-ts: Nothing can listen on 192\.0\.2\.1: .* --host\b.*\n$/);
  });
});
