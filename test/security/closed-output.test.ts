import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askServer } from '../../src/server/admin/client.ts';
import { bench, tempDir } from '../event-hooks/support/setup.ts';
import { plugin } from '../server/support/server-process.ts';
import { cliPath } from '../support/run-cli.ts';

interface Ended {
  readonly code: number | null;
  /** What came on the output that stays open. */
  readonly text: string;
}

type Closes = 'stdout' | 'stderr';

/** Runs a command; one of its outputs is closed before it has said anything. */
function run(args: readonly string[], closes: Closes): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cliPath, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let text = '';
    for (const name of ['stdout', 'stderr'] as const) {
      if (name === closes) child[name].destroy();
      else child[name].on('data', (chunk: Buffer) => (text += chunk.toString()));
    }
    child.once('close', (code) => resolve({ code, text }));
  });
}

const nowhere = 'http://127.0.0.1:9';
const steady = plugin('steady');
const socket = ['--socket', '/tmp/kong-ts-nowhere.socket'];

/** Command lines that end by themselves: what they say on standard output, or on standard error. */
const says: readonly [status: number, closes: Closes, args: readonly string[]][] = [
  [0, 'stdout', ['--help']],
  [0, 'stdout', ['--version']],
  [0, 'stdout', ['serve', steady, '--check', ...socket]],
  [0, 'stdout', ['dump', steady]],
  [0, 'stdout', ['kong-config', steady]],
  [0, 'stdout', ['export-schema', steady]],
  [0, 'stdout', ['hooks', 'create', '--help']],
  [0, 'stdout', ['docs']],
  [0, 'stdout', ['init', '--help']],
  [0, 'stdout', ['dev', '--help']],
  [0, 'stdout', ['js-pluginserver', '--help']],
  [1, 'stdout', ['doctor', '--json']],
  [2, 'stderr', ['nonsense']],
  [2, 'stderr', ['serve', steady]],
  [2, 'stderr', ['sandbox', '--nonsense']],
  [2, 'stderr', ['demo', '--nonsense']],
  [2, 'stderr', ['enable']],
  [1, 'stderr', ['reload', ...socket]],
  [1, 'stderr', ['status', ...socket]],
  [1, 'stderr', ['hooks', 'list', '--api', nowhere]],
];

describe('whoever reads the output of a command may stop', () => {
  it('and it ends quietly, with its usual status', async () => {
    const rest = [...says];
    const worker = async (): Promise<void> => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        const [status, closes, args] = next;
        const { code, text } = await run(args, closes);
        expect([args, code]).toEqual([args, status]);
        expect(text).not.toMatch(/EPIPE|node:|\n {4}at /);
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    // Starting twenty processes takes its time.
  }, 60_000);

  it('and every command is among those', () => {
    const file = readFileSync(new URL('../../src/cli/main.ts', import.meta.url), 'utf8');
    const all = [...file.matchAll(/^ {2}file\('([\w-]+)'/gm)].map(([, name = '']) => name);
    expect(all.length).toBeGreaterThan(10);
    const tried = new Set(says.map(([, , [name = '']]) => name));
    expect(all.filter((name) => !tried.has(name))).toEqual([]);
  });

  it('and a tail ends with the next event', async () => {
    const b = await bench();
    await b.admin.listen({ host: '127.0.0.1', port: 0 });
    const { port } = b.admin.server.address() as AddressInfo;
    const tail = run(['hooks', 'tail', '--api', `http://127.0.0.1:${String(port)}`], 'stdout');
    await expect.poll(() => b.dispatcher.feed.watched, { timeout: 20_000 }).toBe(true);
    await b.api('POST', '/event-hooks/events', { source: 's', event: 'e', data: {} });
    // Nothing but the first word beside the lines: it neither connects again nor complains.
    const { code, text } = await tail;
    expect(text).toMatch(/^Watching \S+ Ctrl-C ends it\.\n$/);
    expect(code).toBe(0);
  }, 30_000);

  it('and a server goes on without a log', async () => {
    const path = join(tempDir(), 'a.socket');
    const args = ['serve', steady, '--socket', path, '--workers', '1', '--event-hooks', 'off'];
    const child = spawn(process.execPath, [cliPath, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'exit');
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdout.destroy();
    child.stderr.destroy();
    const answers = (): Promise<boolean> =>
      askServer(`${path}.ctl`, 'GET', '/status').then(
        () => true,
        () => false,
      );
    await expect.poll(answers, { timeout: 20_000 }).toBe(true);
    // What is logged now has nobody to read it.
    await askServer(`${path}.ctl`, 'POST', '/reload');
    expect(await answers()).toBe(true);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  }, 30_000);

  it('an output that cannot be written for another reason is one line, and status 1', async () => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const child = spawn(process.execPath, [cliPath, '--help'], { stdio: ['ignore', full, 'pipe'] });
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(text).toMatch(/^kong-ts: What was written to stdout is lost: ENOSPC.*\n$/);
  });
});
