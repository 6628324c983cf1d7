import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { KongClient } from './support/kong-client.ts';
import type { ServerProcess } from './support/server-process.ts';
import { isAlive, until, Workbench } from './support/server-process.ts';

const root = process.getuid?.() === 0;
/** A user that is nobody else's in a test. */
const user = 54321;

let bench: Workbench;
let kong: KongClient;
let server: ServerProcess;
let metrics: string;
let file: string;

async function scrape(): Promise<string> {
  return (await fetch(`http://${metrics}/metrics`)).text();
}

/** The value of one series; null when there is none. */
function value(text: string, series: string): number | null {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length));
}

beforeAll(async () => {
  bench = await Workbench.create();
  metrics = `127.0.0.1:${await freePort()}`;
  file = join(bench.folder, 'life');
  const owner = root ? ['--socket-owner', `${user}:${user}`] : [];
  const options = ['--idle-timeout', '0.6', '--admin', metrics, '--socket-mode', '600', ...owner];
  server = await bench.serve(['counting', 'steady'], '--workers', '2', ...options).ready();
  kong = new KongClient(server.socket);
});
afterAll(async () => {
  kong.close();
  await bench.clean();
});

// In this order, on one server.
describe('the life of a server', () => {
  it('has a socket of the mode and owner that it was told', () => {
    const { mode, uid, gid } = statSync(server.socket);
    expect(mode & 0o777).toBe(0o600);
    if (root) expect([uid, gid]).toEqual([user, user]);
  });

  it('gives the state of an idle configuration up; its id stays valid', async () => {
    const id = await kong.instance('counting', { file });
    await kong.handle(id, 'access');
    await until(async () => (await readFile(file, 'utf8')).endsWith('close\n'), 'the close');
    const before = await readFile(file, 'utf8');
    await kong.handle(id, 'access');
    expect(await readFile(file, 'utf8')).toBe(`${before}setup\n`);
    expect(kong.retries).toBe(0);
  });

  it('counts right while events run, calls by phase and plugin', async () => {
    for (let count = 0; count < 50; count++) await kong.event('steady', {}, 'access');
    await kong.event('steady', {}, 'log');
    const text = await scrape();
    const steady = (name: string, phase: string) =>
      value(text, `kong_ts_${name}{plugin="steady",phase="${phase}"}`);
    expect(steady('events_total', 'access')).toBe(50);
    expect(steady('events_total', 'log')).toBe(1);
    // One getter and one setter each.
    expect(steady('pdk_calls_total', 'access')).toBe(50);
    expect(steady('pdk_sends_total', 'access')).toBe(50);
    expect(steady('event_duration_seconds_count', 'access')).toBe(50);
    expect(steady('event_duration_seconds_sum', 'access')).toBeGreaterThan(0);
    expect(value(text, 'kong_ts_events_total{plugin="counting",phase="access"}')).toBe(2);
    expect(value(text, 'kong_ts_waiting_connections')).toBe(0);
    expect(value(text, 'kong_ts_worker_event_loop_delay_seconds{worker="1"}')).not.toBeNull();
  });

  it('reloads at SIGHUP, and what was counted stays counted', async () => {
    const counted = 'counting_events_total{plugin="counting",instance=""}';
    expect(value(await scrape(), counted)).toBe(2);
    const pids = await server.workerPids();
    server.kill('SIGHUP');
    await server.logged('plugins reloaded');
    await until(async () => !pids.some(isAlive), 'the end of the old workers');
    const text = await scrape();
    expect(value(text, counted)).toBe(2);
    expect(value(text, 'kong_ts_events_total{plugin="steady",phase="access"}')).toBe(50);
    await kong.event('counting', { file }, 'access');
    expect(value(await scrape(), counted)).toBe(3);
    // Another worker may still serve the old connection count; a gauge is of those that live.
    expect(value(await scrape(), 'counting_depth{plugin="counting",instance=""}')).toBe(7);
  });

  it('hands the port of --metrics over to the server that takes the socket', async () => {
    const next = bench.serve(['steady'], '--workers', '1', '--metrics', metrics, '--socket-mode', '600');
    await next.logged('listening');
    // Both live: somebody answers.
    expect((await fetch(`http://${metrics}/health`)).status).toBeLessThanOrEqual(503);
    await server.logged('draining');
    server.kill('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await next.ready();
    const text = await scrape();
    expect(value(text, 'kong_ts_events_total{plugin="steady",phase="access"}')).toBeNull();
    expect(value(text, 'kong_ts_plugins_failed')).toBe(0);
    expect(statSync(next.socket).isSocket()).toBe(true);
  });
});

// Root is needed to become somebody else.
describe.runIf(root && canUnshare())(
  'as another user on a file system that is read-only (skipped where this user is not root or cannot unshare)',
  () => {
    it('works where only the folder of the socket can be written to', async () => {
      const folder = join(bench.folder, 'run');
      await mkdir(folder);
      chownSync(folder, user, user);
      chmodSync(bench.folder, 0o755);
      const readOnly =
        'mount --bind "$0" "$0" && mount --make-rslave / && mount -o remount,ro,bind / && ' +
        `exec setpriv --reuid ${user} --regid ${user} --clear-groups "$@"`;
      const through = ['unshare', '--mount', 'sh', '-c', readOnly, folder];
      const ro = bench.serveThrough(through, join(folder, 'k.sock'), ['steady']);
      await ro.ready();
      const other = new KongClient(ro.socket);
      expect((await other.event('steady', {}, 'access')).calls).toHaveLength(2);
      expect(statSync(ro.socket).uid).toBe(user);
      other.close();
      ro.kill('SIGTERM');
      expect(await ro.exited).toEqual({ code: 0, signal: null });
      expect(ro.stderr).toBe('');
    });
  },
);

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
