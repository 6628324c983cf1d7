import { mkdir, mkdtemp, open, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../../plugins/http-log-enterprise/config/schema.ts';
import { compileSettings } from '../../../plugins/http-log-enterprise/config/settings.ts';
import { Destination } from '../../../plugins/http-log-enterprise/destination.ts';
import type { OpenFile } from '../../../plugins/http-log-enterprise/spool/plain-file.ts';
import { memoryLog, memoryMetrics } from './support/instance.ts';
import { ManualClock } from './support/manual-clock.ts';
import { startSink } from './support/sink.ts';
import { append, openSpoolAt } from './support/spool.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'http-log-limits-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const hour = 3_600_000;
const maxAge = 24 * hour;
const gone = 'a'.repeat(24);
const living = 'b'.repeat(24);

describe('spool.max_age', () => {
  /** Three records that nobody delivered, left by a configuration that is deleted in Kong afterwards. */
  async function leave(clock: ManualClock, name: string, kept = maxAge): Promise<void> {
    const directory = join(root, name);
    const { spool } = await openSpoolAt(directory, { clock, maxAgeMs: kept });
    for (const text of ['a', 'b', 'c']) await append(spool, text);
    await spool.close();
    const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith('.seg'));
    for (const file of files) await utimes(join(directory, file), clock.wall() / 1000, clock.wall() / 1000);
  }

  it('ends the wait of what a configuration has left that does not come back, counted', async () => {
    const clock = new ManualClock();
    await leave(clock, gone);
    const other = await openSpoolAt(join(root, living), { clock, maxAgeMs: maxAge });
    await clock.jump(23 * hour);
    await other.spool.sweep();
    expect(await readdir(root)).toEqual([gone, living]);
    await clock.jump(2 * hour);
    await expect.poll(() => other.losses).toHaveLength(1);
    expect(other.losses[0]).toMatchObject({ records: 3, reason: 'expired' });
    expect(other.losses[0]?.detail).toContain(gone);
    await expect.poll(() => readdir(root)).toEqual([living]);
    await other.spool.close();
  });

  it('is that of the configuration itself, not of who finds its folder; other folders are left alone', async () => {
    const clock = new ManualClock();
    await leave(clock, gone, 100 * maxAge);
    await mkdir(join(root, 'somebody-elses'));
    await utimes(join(root, 'somebody-elses'), 1, 1);
    const other = await openSpoolAt(join(root, living), { clock, maxAgeMs: maxAge });
    await clock.jump(10 * maxAge);
    await other.spool.sweep();
    expect(other.losses).toEqual([]);
    expect(await readdir(root)).toEqual([gone, living, 'somebody-elses']);
    await other.spool.close();
  });

  it('ends nothing of a configuration that is served here, also when the machine has slept for longer', async () => {
    const asleep = await openSpoolAt(join(root, gone), { clock: new ManualClock(), maxAgeMs: maxAge });
    asleep.room = 0;
    await append(asleep.spool, 'a', true);
    const awake = await openSpoolAt(join(root, living), { clock: new ManualClock(), maxAgeMs: maxAge });
    await awake.clock.jump(100 * maxAge);
    await awake.spool.sweep();
    expect(awake.losses).toEqual([]);
    expect(await readdir(root)).toEqual([gone, living]);
    await awake.spool.close();
    await asleep.spool.close();
  });

  it('ends the wait of records on disk whose destination does not come back', async () => {
    const clock = new ManualClock();
    const opened = await openSpoolAt(join(root, living), { clock, maxAgeMs: maxAge });
    opened.room = 0;
    for (const text of ['a', 'b']) await append(opened.spool, text, true);
    await clock.jump(12 * hour);
    await append(opened.spool, 'c', true);
    await clock.jump(14 * hour);
    expect(opened.losses).toMatchObject([{ records: 2, reason: 'expired' }]);
    expect(opened.spool.backlog).toBe(1);
    opened.room = 1;
    opened.spool.load();
    await expect.poll(() => opened.loaded.map(({ text }) => text)).toEqual(['c']);
    await opened.spool.close();
  });

  it('is told to the queue for the records that wait in memory', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const { spool } = await openSpoolAt(join(root, living), {
      clock,
      maxAgeMs: maxAge,
      aging: () => (asked += 1),
    });
    const token = await append(spool, 'a');
    await clock.jump(60_000);
    await clock.jump(60_000);
    expect([asked, token !== null && spool.isExpired(token)]).toEqual([2, false]);
    await clock.jump(maxAge);
    expect(token !== null && spool.isExpired(token)).toBe(true);
    await spool.close();
  });
});

describe('spool.max_bytes', () => {
  it('is what all workers together keep, and the oldest records go, whosever they are', async () => {
    const options = { maxBytes: 200_000 };
    const first = await openSpoolAt(join(root, living), options);
    const second = await openSpoolAt(join(root, living), options);
    first.room = second.room = 0;
    const long = 'x'.repeat(8_000);
    for (let i = 0; i < 20; i++) await append(first.spool, long, true);
    expect(first.lost).toBe(0);
    for (let i = 0; i < 20; i++) {
      await append(second.spool, long, true);
      await first.clock.jump(5_000);
    }
    await expect.poll(() => first.spool.bytes + second.spool.bytes).toBeLessThan(200_001);
    expect(first.lost).toBeGreaterThan(second.lost);
    expect(first.lost + second.lost + first.spool.backlog + second.spool.backlog).toBe(40);
    expect(second.spool.backlog).toBeGreaterThan(10);
    await first.spool.close();
    await second.spool.close();
  });

  it('costs no record more when it is looked at twice at a time', async () => {
    const opened = await openSpoolAt(join(root, living), { maxBytes: 200_000 });
    opened.room = 0;
    const kept: number[] = [];
    for (let i = 0; i < 100; i++) {
      // The look that every process takes now and then, in the middle of a write.
      const looks = opened.clock.jump(5_000);
      await append(opened.spool, 'x'.repeat(8_000), true);
      await looks;
      if (i > 30) kept.push(opened.spool.backlog);
    }
    expect(opened.lost).toBeGreaterThan(50);
    // 24 records are 200,000 bytes, and a file, which goes as a whole, holds four.
    expect(Math.min(...kept)).toBeGreaterThan(20);
    await opened.spool.close();
  });
});

/** A file system that takes nothing while `full`, or only a part of what it is given. */
function smallDisk(): { openFile: OpenFile; full: boolean } {
  const disk = {
    full: false,
    openFile: (async (...args: Parameters<OpenFile>) => {
      const file = await open(...args);
      const refuse = () =>
        Promise.reject(
          Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
        );
      const writev = file.writev.bind(file);
      const write = file.write.bind(file) as (...rest: [Buffer, number, number, number]) => Promise<unknown>;
      let parts = 0;
      return Object.assign(file, {
        writev: (pieces: Buffer[], position: number) => {
          if (!disk.full) return writev(pieces, position);
          // Every other time a part fits.
          return parts++ % 2 === 0 ? write(pieces[0] as Buffer, 0, 5, position) : refuse();
        },
        write: (...rest: [Buffer, number, number, number]) => (disk.full ? refuse() : write(...rest)),
      });
    }) as OpenFile,
  };
  return disk;
}

describe('a disk that is full', () => {
  it('fails no request, costs no record that fits into the queue, and is used again when there is room', async () => {
    const sink = await startSink();
    sink.answer = (_request, response) => response.writeHead(503).end();
    const { log, lines } = memoryLog();
    const { metrics, values } = memoryMetrics();
    const disk = smallDisk();
    const config = configSchema.parse({
      http_endpoint: sink.url,
      connections: 1,
      shutdown_grace: 0,
      queue: { max_entries: 30, initial_retry_delay: 0.005, max_retry_delay: 0.01 },
    });
    const options = { settings: compileSettings(config), log, metrics, spoolDir: join(root, living) };
    const destination = await Destination.open({ ...options, openFile: disk.openFile });
    const accept = async (from: number, to: number) => {
      for (let n = from; n < to; n++) await destination.accept(Buffer.from(`{"n":${n}}`));
    };
    await accept(0, 10);
    disk.full = true;
    await accept(10, 100);
    expect(values.get('http_log_unspooled_total')).toBe(90);
    expect(lines.filter(({ message }) => message.includes('ENOSPC'))).toHaveLength(1);
    expect(destination.length).toBeLessThanOrEqual(31);
    const dropped = values.get('http_log_dropped_total:queue_full') ?? 0;
    expect(dropped + destination.length).toBe(100);
    disk.full = false;
    await accept(100, 120);
    expect(values.get('http_log_spooled_total')).toBe(30);
    // What the disk refused before is written at the stop, and delivered by the next process with the rest.
    await destination.close();
    expect(values.get('http_log_dropped_total:shutdown')).toBeUndefined();
    sink.received.length = 0;
    sink.answer = (_request, response) => response.end();
    const next = await Destination.open(options);
    const left = 120 - (values.get('http_log_dropped_total:queue_full') ?? 0);
    await expect.poll(() => sink.received.length).toBe(left);
    expect(new Set(sink.received.map(({ body }) => body)).size).toBe(left);
    await next.close();
    await sink.close();
  });

  it('and one that is full when the server starts, too', async () => {
    const sink = await startSink();
    const { log, lines } = memoryLog();
    const { metrics, values } = memoryMetrics();
    const disk = smallDisk();
    disk.full = true;
    const settings = compileSettings(configSchema.parse({ http_endpoint: sink.url }));
    const destination = await Destination.open({
      settings,
      log,
      metrics,
      spoolDir: join(root, living),
      openFile: disk.openFile,
    });
    await destination.accept(Buffer.from('{}'));
    await sink.until(1);
    await expect.poll(() => values.get('http_log_sent_total')).toBe(1);
    expect(lines.map(({ message }) => message)).toEqual([expect.stringMatching(/kept in memory only/)]);
    await destination.close();
    await sink.close();
  });
});
