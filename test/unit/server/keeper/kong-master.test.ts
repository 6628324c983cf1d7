import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findKongMaster, kongRuns, workerLeaves } from '../../../../src/server/keeper/kong-master.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'kts-proc-'));
});
afterEach(() => rmSync(proc, { recursive: true }));

function put(pid: number, parent: number, title: string, { started = '7', state = 'S' } = {}): void {
  mkdirSync(join(proc, String(pid)), { recursive: true });
  const rest = Array.from({ length: 17 }, () => '0').join(' ');
  writeFileSync(
    join(proc, String(pid), 'stat'),
    `${String(pid)} (a (b) c) ${state} ${String(parent)} ${rest} ${started} 0\n`,
  );
  writeFileSync(join(proc, String(pid), 'cmdline'), title.replaceAll(' ', ' ') + '\0\0\0');
}

const kong = { master: { pid: 1, startedAt: '7' }, worker: { pid: 20, startedAt: '7' } };

test('nginx is found above a server, also through the script that starts it', () => {
  put(1, 0, 'nginx: master process /usr/local/openresty/nginx/sbin/nginx -p /usr/local/kong');
  put(20, 1, 'nginx: worker process');
  put(30, 20, '/bin/sh /start.sh');
  expect(findKongMaster(20, proc)).toEqual(kong);
  expect(findKongMaster(30, proc)).toEqual(kong);
});

test('what is not nginx, and what the system does not say, is none', () => {
  put(1, 0, '/sbin/init');
  put(20, 1, 'nginx: worker process');
  put(40, 1, 'node server.js');
  put(50, 49, 'node server.js');
  for (const parent of [1, 20, 40, 50, 60]) expect(findKongMaster(parent, proc)).toBeNull();
});

test('Kong runs as long as its master does: not a later process with that number, and none that has ended', () => {
  put(1, 0, 'nginx: master process x');
  expect(kongRuns(kong, proc)).toBe(true);
  put(1, 0, 'nginx: master process x', { started: '8' });
  expect(kongRuns(kong, proc)).toBe(false);
  put(1, 0, '', { state: 'Z' });
  expect(kongRuns(kong, proc)).toBe(false);
});

test('the nginx worker leaves when it says so, and when it is gone', () => {
  put(20, 1, 'nginx: worker process');
  expect(workerLeaves(kong, proc)).toBe(false);
  put(20, 1, 'nginx: worker process is shutting down');
  expect(workerLeaves(kong, proc)).toBe(true);
  put(20, 1, 'nginx: worker process', { started: '9' });
  expect(workerLeaves(kong, proc)).toBe(true);
  rmSync(join(proc, '20'), { recursive: true });
  expect(workerLeaves(kong, proc)).toBe(true);
});
