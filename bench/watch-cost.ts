/**
 * What one look at a Kong costs: time, requests, CPU and memory, for 100, 10,000 and 100,000 consumers.
 * `node bench/watch-cost.ts [100 10000 ...]`; the Admin API that is listed runs in a process of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/event-hooks/log.ts';
import { CrudWatcher } from '../src/kong-watch/watcher/crud-watcher.ts';
import { SqliteSnapshots } from '../src/kong-watch/watcher/snapshot/sqlite.ts';
import { KongAdmin } from '../src/kong-admin/client.ts';

const id = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;

/** A page of consumers as Kong 3.9.3 shows them. */
function page(count: number, changed: number, url: URL): string {
  const size = Number(url.searchParams.get('size') ?? 100);
  const from = Number(url.searchParams.get('offset') ?? 0);
  const data = [];
  for (let n = from; n < Math.min(from + size, count); n += 1) {
    data.push({
      id: id(n),
      username: `consumer-${String(n)}`,
      custom_id: n < changed ? `changed-${String(n)}` : `custom-${String(n)}`,
      tags: ['team-a', 'imported'],
      created_at: 1_795_282_562,
      updated_at: 1_795_282_562,
    });
  }
  const next = from + size;
  return JSON.stringify({ data, next: null, ...(next < count ? { offset: String(next) } : {}) });
}

/** The listed side: `/endpoints`, `/status`, `/consumers`. `POST /changed/N` changes the first N. */
function serve(count: number): void {
  let changed = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    if (request.method === 'POST') changed = Number(url.pathname.split('/')[2]);
    response.setHeader('content-type', 'application/json');
    if (url.pathname === '/endpoints') response.end('{"data":["/consumers","/consumers/{consumers}"]}');
    else if (url.pathname === '/consumers') response.end(page(count, changed, url));
    else response.end('{"database":{"reachable":true}}');
  });
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${String((server.address() as AddressInfo).port)}\n`);
  });
  process.stdin.on('end', () => process.exit(0)).resume();
}

interface Cost {
  what: string;
  ms: number;
  cpuMs: number;
  peakMb: number;
}

async function measure(what: string, work: () => Promise<void>): Promise<Cost> {
  globalThis.gc?.();
  const rssBefore = process.memoryUsage().rss;
  let peak = rssBefore;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(sampler);
  peak = Math.max(peak, process.memoryUsage().rss);
  return { what, ms, cpuMs: (user + system) / 1000, peakMb: (peak - rssBefore) / 1e6 };
}

async function costs(count: number): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--serve', String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-watch-cost-'));
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const url = `http://127.0.0.1:${port.toString().trim()}`;
    let events = 0;
    const file = join(folder, 'snapshot.db');
    const snapshots = new SqliteSnapshots(file);
    const watcher = new CrudWatcher({
      admin: new KongAdmin({ url }),
      snapshots,
      wants: (source, event) => source === 'crud' && event === 'consumers',
      listens: (source) => source === 'crud',
      publish: () => undefined,
      emit: (list) => {
        events += list.length;
        return Promise.resolve();
      },
      clock: systemClock,
      log: silentLog,
      // Every turn looks.
      intervalMs: 0,
    });
    const rows = [await measure('first look', () => watcher.pollNow())];
    for (let n = 0; n < 3; n += 1) rows.push(await measure('nothing changed', () => watcher.pollNow()));
    for (const [what, changed] of [
      ['10 changed', 10],
      ['all changed', count],
    ] as const) {
      await fetch(`${url}/changed/${String(changed)}`, { method: 'POST' });
      rows.push(await measure(what, () => watcher.pollNow()));
    }
    await watcher.close();
    await snapshots.close();
    for (const { what, ms, cpuMs, peakMb } of rows) {
      const cells = [count, what, `${ms.toFixed(0)} ms`, `${cpuMs.toFixed(0)} ms`, `${peakMb.toFixed(0)} MB`];
      process.stdout.write(`| ${cells.join(' | ')} |\n`);
    }
    process.stdout.write(
      `${String(count)}: ${String(Math.max(1, Math.ceil(count / 1000)) + 1)} requests a look, ` +
        `${String(events)} events, snapshot ${(statSync(file).size / 1e6).toFixed(1)} MB\n`,
    );
  } finally {
    child.stdin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

const [first, second] = process.argv.slice(2);
if (first === '--serve') serve(Number(second));
else {
  const counts = process.argv.slice(2).map(Number);
  for (const count of counts.length > 0 ? counts : [100, 10_000, 100_000]) await costs(count);
}
