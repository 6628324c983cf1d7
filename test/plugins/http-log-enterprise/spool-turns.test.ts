import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TurnEnd } from '../../../plugins/http-log-enterprise/queue/turn-end.ts';
import { DiskPace } from '../../../plugins/http-log-enterprise/spool/disk-pace.ts';
import { writeNow } from '../../../plugins/http-log-enterprise/spool/plain-file.ts';
import type { WriteNow } from '../../../plugins/http-log-enterprise/spool/plain-file.ts';
import type { SpoolToken } from '../../../plugins/http-log-enterprise/spool/options.ts';
import { settle } from './support/manual-clock.ts';
import { append, openSpoolAt } from './support/spool.ts';
import type { Opened } from './support/spool.ts';

let folder = '';
let directory = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'http-log-turns-'));
  directory = join(folder, 'configuration');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A spool with a disk that takes as long as it is told, whose clock is the test's. */
async function openTimed(): Promise<Opened & { writes: number[]; takesMs: number }> {
  const timed: { opened: (Opened & { writes: number[]; takesMs: number }) | null } = { opened: null };
  const write: WriteNow = (file, bytes, length, position) => {
    writeNow(file, bytes, length, position);
    timed.opened?.writes.push(length);
    void timed.opened?.clock.jump(timed.opened.takesMs);
  };
  const opened = await openSpoolAt(directory, { writeNow: write });
  return (timed.opened = Object.assign(opened, { writes: [], takesMs: 0 }));
}

/** Appends until the event loop waits for the writes. */
async function trusted(spool: Opened['spool'], count = 8): Promise<void> {
  for (let n = 0; n < count; n++) await append(spool, `{"warm":${String(n)}}`);
}

describe('the records of one turn', () => {
  it('are one write, and settled in that turn, in their order', async () => {
    const opened = await openTimed();
    await trusted(opened.spool);
    const settled: string[] = [];
    for (const name of ['a', 'b', 'c']) opened.spool.put(Buffer.from(name), false, () => settled.push(name));
    expect(opened.writes).toEqual([]);
    await settle();
    expect(settled).toEqual(['a', 'b', 'c']);
    expect(opened.writes).toEqual([3 * 9]);
    await opened.spool.close();
  });

  it('are written before a stop, also where the turn has not ended', async () => {
    const opened = await openTimed();
    await trusted(opened.spool);
    const last = append(opened.spool, 'last');
    await opened.spool.close();
    expect(await last).not.toBeNull();
    const next = await openSpoolAt(directory);
    await expect.poll(() => next.loaded.map(({ text }) => text)).toContain('last');
    await next.spool.close();
  });

  it('are refused together by a disk that is full, and the next ones are written where they would have been', async () => {
    let isFull = false;
    const opened = await openSpoolAt(directory, {
      writeNow: (file, bytes, length, position) => {
        // A part of it fits.
        writeNow(file, bytes, isFull ? Math.min(length, 13) : length, position);
        if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      },
    });
    await trusted(opened.spool);
    isFull = true;
    expect(await Promise.all([append(opened.spool, 'x'), append(opened.spool, 'y')])).toEqual([null, null]);
    expect(opened.problems).toEqual([expect.stringContaining('ENOSPC')]);
    isFull = false;
    expect(await append(opened.spool, 'z')).not.toBeNull();
    await opened.spool.close();
    const next = await openSpoolAt(directory);
    await expect.poll(() => next.loaded.length).toBe(9);
    expect(next.loaded.at(-1)?.text).toBe('z');
    expect(next.lost).toBe(0);
    await next.spool.close();
  });
});

describe('a disk that is slow', () => {
  it('is left to a thread after one long write, and trusted again after twice as many quick ones', async () => {
    const opened = await openTimed();
    await trusted(opened.spool);
    opened.takesMs = 25;
    await append(opened.spool, 'long');
    expect(opened.writes).toHaveLength(1);
    opened.takesMs = 0;
    await trusted(opened.spool, 16);
    expect(opened.writes).toHaveLength(1);
    await append(opened.spool, 'quick');
    expect(opened.writes).toHaveLength(2);
    await opened.spool.close();
  });

  it('is left to a thread as well where it takes long to refuse', async () => {
    const refusing: { opened: Opened | null; tried: number } = { opened: null, tried: 0 };
    const opened = await openSpoolAt(directory, {
      writeNow: () => {
        refusing.tried += 1;
        void refusing.opened?.clock.jump(3000);
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      },
    });
    refusing.opened = opened;
    await trusted(opened.spool);
    expect(await append(opened.spool, 'refused')).toBeNull();
    expect(await append(opened.spool, 'next')).not.toBeNull();
    expect(refusing.tried).toBe(1);
    await opened.spool.close();
  });

  it('is so after eight writes in a row that are not quick, not after single ones', () => {
    const pace = new DiskPace(() => 0);
    for (let n = 0; n < 8; n++) pace.took(0.1);
    for (let n = 0; n < 100; n++) pace.took(n % 8 === 0 ? 0.1 : 5);
    expect(pace.blocks).toBe(true);
    for (let n = 0; n < 8; n++) pace.took(5);
    expect(pace.blocks).toBe(false);
  });

  it('is forgotten after ten minutes, and distrusted at most so long', () => {
    let now = 0;
    const pace = new DiskPace(() => now);
    const quickOnes = (): number => {
      for (let n = 1; ; n++) {
        pace.took(0);
        if (pace.blocks) return n;
      }
    };
    const needed: number[] = [];
    for (let n = 0; n < 14; n++) {
      needed.push(quickOnes());
      pace.took(1000);
    }
    expect(needed.slice(0, 4)).toEqual([8, 16, 32, 64]);
    expect(needed.at(-1)).toBe(8192);
    now = 600_001;
    expect(quickOnes()).toBe(8);
  });
});

it('what a task adds at the end of a turn runs in the same turn, and one that throws stops nobody else for good', async () => {
  const turn = new TurnEnd();
  const ran: string[] = [];
  turn.add(() => {
    ran.push('a');
    turn.add(() => ran.push('b'));
  });
  expect(ran).toEqual([]);
  await settle();
  expect(ran).toEqual(['a', 'b']);
  turn.add(() => ran.push('c'));
  await settle();
  expect(ran).toEqual(['a', 'b', 'c']);
});

it('however records come in turns and are acknowledged in batches, the next process has those that are not', async () => {
  const turns = fc.array(
    fc.record({
      records: fc.nat(6),
      acknowledge: fc.array(fc.nat(40), { maxLength: 8 }),
      slow: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  );
  let round = 0;
  await fc.assert(
    fc.asyncProperty(turns, async (all) => {
      directory = join(folder, String(round++), 'configuration');
      const opened = await openTimed();
      const left = new Map<string, SpoolToken>();
      let next = 0;
      for (const { records, acknowledge, slow } of all) {
        opened.takesMs = slow ? 30 : 0;
        const batch = Array.from({ length: records }, () => `{"n":${String(next++)}}`);
        const tokens = await Promise.all(batch.map((text) => append(opened.spool, text)));
        tokens.forEach((token, i) => token !== null && left.set(batch[i] ?? '', token));
        const chosen = new Set(
          acknowledge.map((n) => [...left.keys()][n]).filter((key) => key !== undefined),
        );
        opened.spool.done([...chosen].map((key) => left.get(key)).filter((token) => token !== undefined));
        for (const key of chosen) left.delete(key);
      }
      await opened.spool.close();
      const later = await openSpoolAt(directory);
      await expect.poll(() => later.loaded.length).toBe(left.size);
      expect(later.loaded.map(({ text }) => text)).toEqual([...left.keys()]);
      later.spool.done(later.loaded.map(({ token }) => token));
      await later.spool.close();
      expect((await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.seg'))).toEqual(
        [],
      );
    }),
    { numRuns: 25 },
  );
});

it('nothing that was settled is lost when the process is killed between or within turns', async () => {
  const spoolModule = new URL('../../../plugins/http-log-enterprise/spool/spool.ts', import.meta.url).href;
  const script = `
    const { openSpool } = await import(${JSON.stringify(spoolModule)});
    const { systemClock } = await import(new URL('../queue/clock.ts', ${JSON.stringify(spoolModule)}));
    const { writeSync } = await import('node:fs');
    const spool = await openSpool({ directory: process.argv[1], clock: systemClock, fsync: 'never', maxBytes: 1e9,
      maxAgeMs: 1e9, hasRoom: () => true, loaded() {}, recovered() {}, lost() {}, failed() {} });
    const [turns, perTurn] = [Number(process.argv[2]), Number(process.argv[3])];
    let next = 0;
    for (let turn = 0; turn < turns; turn++) {
      for (let n = 0; n < perTurn; n++) {
        const name = next++;
        spool.put(Buffer.from('{"n":' + name + '}'), false, (token) => {
          if (token !== 'unwritable') writeSync(1, name + ' ');
        });
      }
      if (turn === turns - 1) process.kill(process.pid, 'SIGKILL');
      await new Promise(setImmediate);
      if (turn % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }`;
  await Promise.all(
    [
      [12, 5],
      [30, 1],
    ].map(async ([turns, perTurn], index) => {
      const own = join(folder, String(index), 'configuration');
      const options = ['--conditions=kong-ts-source', '--input-type=module', '-e', script];
      const child = spawn(process.execPath, [...options, own, String(turns), String(perTurn)]);
      let told = '';
      child.stdout.on('data', (bytes: Buffer) => (told += bytes.toString()));
      await new Promise((resolve) => child.on('close', resolve));
      const settled = told.trim().split(' ').map(Number);
      expect(settled.length).toBeGreaterThan(10);
      const next = await openSpoolAt(own);
      await expect.poll(() => next.loaded.length).toBeGreaterThanOrEqual(settled.length);
      const found = next.loaded.map(({ text }) => (JSON.parse(text) as { n: number }).n);
      expect(found).toEqual(Array.from(found.keys()));
      expect(found).toEqual(expect.arrayContaining(settled));
      await next.spool.close();
    }),
  );
});
