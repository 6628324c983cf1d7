import { spawn } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frame, readFrame } from '../../../plugins/http-log-enterprise/spool/frame.ts';
import { Segment } from '../../../plugins/http-log-enterprise/spool/segment.ts';
import type { SpoolOptions } from '../../../plugins/http-log-enterprise/spool/options.ts';
import type { Opened } from './support/spool.ts';
import { append, openSpoolAt } from './support/spool.ts';

let folder = '';
let directory = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'http-log-spool-'));
  directory = join(folder, 'configuration');
  await mkdir(directory);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const openOne = (options?: Partial<SpoolOptions>): Promise<Opened> => openSpoolAt(directory, options);

describe('frames', () => {
  it('come back, and end at the first damaged one', () => {
    const bytes = Buffer.concat([frame(Buffer.from('a')), frame(Buffer.from('bb'))]);
    const first = readFrame(bytes, 0);
    expect(first?.bytes.toString()).toBe('a');
    bytes[bytes.length - 1] = 0;
    expect(readFrame(bytes, first?.next ?? 0)).toBeNull();
    expect(readFrame(bytes.subarray(0, 5), 0)).toBeNull();
  });
});

describe('a segment', () => {
  it('writes over what a write left behind that failed half-way', async () => {
    const path = join(directory, 's1.seg');
    const segment = await Segment.create(path);
    await segment.write([Buffer.from('a')], false, 0);
    await appendFile(path, frame(Buffer.from('half of a record')).subarray(0, 12));
    await segment.write([Buffer.from('a record that is longer than that')], false, 0);
    await segment.close();
    expect(await Segment.recover(path)).toMatchObject({ outstanding: 1 + 1, damaged: 0 });
  });

  it('does not forget what was done when the list of it could not be written', async () => {
    const path = join(directory, 's1.seg');
    const segment = await Segment.create(path);
    await segment.write([Buffer.from('a'), Buffer.from('b')], false, 0);
    segment.markDone([0]);
    await mkdir(`${path}.done`);
    await expect(segment.flushDone()).rejects.toThrow();
    await rm(`${path}.done`, { recursive: true });
    await segment.flushDone();
    await segment.close();
    expect(await Segment.recover(path)).toMatchObject({ outstanding: 1 });
  });

  it('is read back piece by piece, however long it is', async () => {
    const segment = await Segment.create(join(directory, 's1.seg'));
    const long = 'x'.repeat(400_000);
    for (const text of ['a', long, 'b'.repeat(200_000), 'c'.repeat(200_000)])
      await segment.write([Buffer.from(text)], false, 0);
    const first = await segment.readOn();
    expect(first.length).toBeLessThan(300_000);
    segment.loadAt = readFrame(first, 0)?.next ?? 0;
    expect(readFrame(await segment.readOn(), 0)?.bytes.toString()).toBe(long);
    await segment.close();
  });
});

describe('the spool', () => {
  it('leaves nothing behind when everything was delivered', async () => {
    const { spool } = await openOne();
    const tokens = await Promise.all(['a', 'b', 'c'].map((text) => append(spool, text)));
    for (const token of tokens) if (token !== null) spool.done([token]);
    await spool.close();
    expect(await readdir(directory)).toEqual(['max-age']);
  });

  it('gives the next process what was not delivered, once', async () => {
    const first = await openOne();
    const tokens = await Promise.all(['a', 'b', 'c'].map((text) => append(first.spool, text)));
    if (tokens[1] != null) first.spool.done([tokens[1]]);
    await first.spool.close();
    const [second, third] = await Promise.all([openOne(), openOne()]);
    await expect.poll(() => second.loaded.length + third.loaded.length).toBe(2);
    expect([...second.loaded, ...third.loaded].map(({ text }) => text).sort()).toEqual(['a', 'c']);
    await second.spool.close();
    await third.spool.close();
  });

  it('does not take the folder of a process that lives', async () => {
    const first = await openOne();
    await append(first.spool, 'a');
    const second = await openOne();
    expect(second.loaded).toEqual([]);
    await first.spool.close();
    await second.spool.adopt();
    await expect.poll(() => second.loaded.map(({ text }) => text)).toEqual(['a']);
    await second.spool.close();
  });

  it('survives a process that is killed, and a torn last record', async () => {
    const module = new URL('../../../plugins/http-log-enterprise/spool/spool.ts', import.meta.url).href;
    const script = `
      const { openSpool } = await import(${JSON.stringify(module)});
      const { systemClock } = await import(new URL('../queue/clock.ts', ${JSON.stringify(module)}));
      const spool = await openSpool({ directory: ${JSON.stringify(directory)}, clock: systemClock, fsync: 'never',
        maxBytes: 1e9, maxAgeMs: 1e9, hasRoom: () => true, loaded() {}, recovered() {}, lost() {}, failed() {} });
      for (let i = 0; i < 100; i++) await spool.append(Buffer.from('r' + i), false);
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, [
      '--conditions=kong-ts-source',
      '--input-type=module',
      '-e',
      script,
    ]);
    await new Promise((resolve) => child.on('exit', resolve));
    const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith('.seg'));
    const path = join(directory, files[0] ?? '');
    await appendFile(path, frame(Buffer.from('torn')).subarray(0, 9));
    const next = await openOne();
    await expect.poll(() => next.loaded.length).toBe(100);
    expect(new Set(next.loaded.map(({ text }) => text)).size).toBe(100);
    await next.spool.close();
    await truncate(path, 0).catch(() => undefined);
  });

  it('keeps on disk what the queue has no room for, and brings it back in order', async () => {
    const opened = await openOne();
    opened.room = 0;
    await append(opened.spool, 'a', true);
    await append(opened.spool, 'b');
    expect(opened.spool.backlog).toBe(2);
    opened.room = 1;
    opened.spool.load();
    await expect.poll(() => opened.loaded.length).toBe(1);
    await append(opened.spool, 'c');
    opened.room = Infinity;
    opened.spool.load();
    await expect.poll(() => opened.loaded.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
    expect(opened.spool.backlog).toBe(0);
    expect(await append(opened.spool, 'd')).not.toBeNull();
    await opened.spool.close();
  });

  it('deletes the oldest when max_bytes is reached, and counts them', async () => {
    const opened = await openOne({ maxBytes: 65_536 });
    opened.room = 0;
    const big = 'x'.repeat(8_000);
    for (let i = 0; i < 20; i++) await append(opened.spool, big, true);
    expect(opened.lost).toBeGreaterThan(0);
    expect(opened.lost + opened.spool.backlog).toBe(20);
    expect(opened.spool.backlog * 8_008).toBeLessThanOrEqual(65_536 + 8_008);
    await opened.spool.close();
  });
});
