import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frame, FrameSearch } from '../../../plugins/http-log-enterprise/spool/frame.ts';
import { growth } from '../../support/steps.ts';
import { Segment } from '../../../plugins/http-log-enterprise/spool/segment.ts';
import { append, openSpoolAt } from './support/spool.ts';

let folder = '';
let directory = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'http-log-damage-'));
  directory = join(folder, 'configuration');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const text = (n: number) => JSON.stringify({ n, nested: { list: [{ a: 'x'.repeat(n) }] } });
const texts = (count: number) => Array.from({ length: count }, (_, n) => text(n));

/** The file that a process has left which did not deliver its records. */
async function leave(records: readonly string[]): Promise<string> {
  const opened = await openSpoolAt(directory);
  for (const record of records) await append(opened.spool, record);
  await opened.spool.close();
  const names = await readdir(directory, { recursive: true });
  return join(directory, names.find((name) => name.endsWith('.seg')) ?? '');
}

async function delivered(): Promise<{ texts: string[]; problems: string[]; lost: number }> {
  const opened = await openSpoolAt(directory);
  await expect.poll(() => opened.spool.backlog).toBe(0);
  for (const { token } of opened.loaded) opened.spool.done([token]);
  await opened.spool.close();
  return { texts: opened.loaded.map((one) => one.text), problems: opened.problems, lost: opened.lost };
}

describe('a spool with files that a process has left', () => {
  it.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdir(path)],
    ['a device without an end', (path: string) => symlink('/dev/zero', path)],
    ['a link to itself', (path: string) => symlink(path, path)],
    ['no text', (path: string) => writeFile(path, 'null')],
  ])('gives their records also where the owner of a folder is %s', async (_what, make) => {
    const path = await leave(texts(3));
    const owner = join(path, '..', 'owner');
    await rm(owner, { force: true });
    await make(owner);
    await rm(join(directory, 'max-age'), { force: true });
    await make(join(directory, 'max-age'));
    expect((await delivered()).texts).toEqual(texts(3));
  });
});

describe('a damaged spool', () => {
  it('gives what stands before and after the damage, and counts what is lost', async () => {
    const path = await leave(texts(10));
    const bytes = await readFile(path);
    const at = bytes.indexOf('{"n":4');
    bytes.fill(0xff, at + 3, at + 6);
    await writeFile(path, bytes);
    const after = await delivered();
    expect(after.texts).toEqual(texts(10).filter((_, n) => n !== 4));
    expect(after.lost).toBe(1);
    expect(after.problems).toEqual([expect.stringMatching(/\d+ bytes of .*\.seg are not whole records/)]);
  });

  it('takes no zeros for records that a crash of the machine has left at the end', async () => {
    const path = await leave(texts(3));
    await appendFile(path, Buffer.alloc(4096));
    expect((await delivered()).texts).toEqual(texts(3));
  });

  it('takes no garbage for the marks of delivered records', async () => {
    const path = await leave(texts(3));
    await writeFile(`${path}.done`, Buffer.concat([Buffer.alloc(64), randomBytes(33)]));
    expect((await delivered()).texts).toEqual(texts(3));
  });

  it('keeps the marks of what was delivered before the damage', async () => {
    const path = await leave(texts(4));
    const segment = await Segment.recover(path);
    segment.markDone([0]);
    segment.markDone([frame(Buffer.from(text(0))).length + frame(Buffer.from(text(1))).length]);
    await segment.flushDone();
    await segment.close();
    const bytes = await readFile(path);
    bytes.fill('?', bytes.indexOf('{"n":1') - 1, bytes.indexOf('{"n":1'));
    await writeFile(path, bytes);
    expect((await delivered()).texts).toEqual([text(3)]);
  });

  it('is not deleted with a file in it that cannot be read for now', async () => {
    const path = await leave(texts(2));
    await rename(path, `${path}.aside`);
    // A folder cannot be read as a file, whoever runs this.
    await mkdir(path);
    const during = await delivered();
    expect(during).toMatchObject({
      texts: [],
      problems: [expect.stringMatching(/cannot be read: it is not a regular file/)],
    });
    const names = await readdir(directory, { recursive: true });
    const aside = join(directory, names.find((name) => name.endsWith('.aside')) ?? '');
    await rmdir(aside.replace(/\.aside$/, ''));
    await rename(aside, aside.replace(/\.aside$/, ''));
    expect((await delivered()).texts).toEqual(texts(2));
  });

  it('that is garbage from its beginning to its end is reported, and stops nothing', async () => {
    const path = await leave(texts(1));
    await writeFile(path, randomBytes(10_000));
    const after = await delivered();
    expect(after).toMatchObject({ texts: [], problems: [expect.stringMatching(/10000 bytes of/)] });
  });

  it('never gives a record that was not written, whatever happens to a file', async () => {
    const whole = Buffer.concat(texts(6).map((record) => frame(Buffer.from(record))));
    const path = join(folder, 's1.seg');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 40 }), async (at, garbage) => {
        const bytes = Buffer.concat([whole.subarray(0, at), garbage, whole.subarray(at + garbage.length)]);
        await writeFile(path, bytes);
        const segment = await Segment.recover(path);
        const found: string[] = [];
        for (; segment.loadAt < segment.size;) {
          segment.loadAt = segment.holes.get(segment.loadAt) ?? segment.loadAt;
          const piece = await segment.readOn();
          const length = piece.readUInt32LE(0);
          found.push(piece.toString('utf8', 8, 8 + length));
          segment.loadAt += 8 + length;
        }
        expect(found).toHaveLength(segment.outstanding);
        expect(texts(6)).toEqual(expect.arrayContaining(found));
        // What begins after the garbage, and what ends before it, is there.
        const undamaged = texts(6).filter((record) => {
          const from = whole.indexOf(record) - 8;
          return from + 8 + record.length <= at || from >= at + garbage.length;
        });
        expect(found).toEqual(expect.arrayContaining(undamaged));
      }),
      { numRuns: 100 },
    );
  });
});

describe('what somebody else has put into a spool', () => {
  /** Puts a folder of a process that is gone before the one that holds records. */
  async function strange(make: (path: string) => Promise<unknown> | void): Promise<void> {
    const before = join(directory, 'w-0-strange');
    await mkdir(before);
    await make(join(before, 's0000000000.seg'));
  }

  it.each([
    ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
    ['a link to a device', (path: string) => symlink('/dev/zero', path)],
    ['a folder', (path: string) => mkdir(path)],
    [
      'a file of 4 GiB',
      async (path: string) => {
        await writeFile(path, '');
        await truncate(path, 4 * 1024 ** 3);
      },
    ],
  ])('costs itself only: %s', async (_what, make) => {
    await leave(texts(3));
    await strange(make);
    const after = await delivered();
    expect(after.texts).toEqual(texts(3));
    expect(after.problems).toEqual([expect.stringMatching(/strange.*cannot be read/)]);
  });

  it('costs itself only: a pipe in place of the marks of what is done', async () => {
    execFileSync('mkfifo', [`${await leave(texts(3))}.done`]);
    expect((await delivered()).texts).toEqual(texts(3));
  });

  it.each([
    ['a file', (path: string) => writeFile(path, '')],
    ['a link to another folder', (path: string) => symlink(tmpdir(), path)],
  ])('is not a folder of a process: %s', async (_what, make) => {
    await leave(texts(3));
    await make(join(directory, 'w-0-strange'));
    const after = await delivered();
    expect(after.texts).toEqual(texts(3));
    expect(await readdir(directory)).toContain('w-0-strange');
  });
});

describe('a segment that cannot be read back any more', () => {
  it('keeps nobody behind it waiting, and its records are lost where it is gone', async () => {
    await leave(texts(2));
    await leave(texts(3));
    let room = false;
    const opened = await openSpoolAt(directory, { hasRoom: () => room });
    const files = await readdir(directory, { recursive: true });
    const adopted = files.filter((name) => name.endsWith('.seg')).sort();
    await rm(join(directory, adopted[0] ?? ''));
    room = true;
    opened.spool.load();
    await expect.poll(() => opened.spool.backlog).toBe(0);
    expect(opened.loaded.length + opened.lost).toBe(5);
    expect(opened.lost).toBeGreaterThan(0);
    await opened.spool.close();
  });
});

/** Records that claim to reach to the last byte, each from within the one before it: none of them is one. */
function claims(size: number): Buffer {
  const bytes = Buffer.alloc(size, '}');
  for (let at = 0; at + 9 < size; at += 9) {
    bytes.writeUInt32LE(size - at - 8, at);
    bytes.write('{', at + 8);
  }
  return bytes;
}

/** How many bytes are handed out to be summed up while the whole of a file is searched. */
function summed(bytes: Buffer): number {
  let count = 0;
  const watched = new Proxy(bytes, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value as (...all: unknown[]) => unknown, target, args);
        if (name === 'subarray') count += (result as Buffer).length;
        return result;
      };
    },
  });
  const search = new FrameSearch(watched);
  for (let at = 0; at < bytes.length;) at = search.find(at + 1);
  return count;
}

describe('the search for whole records', () => {
  it('takes steps in proportion to the file, whatever the file claims', () => {
    expect(growth((size) => summed(claims(size)), [4096, 8192, 16_384, 32_768])).toBeLessThan(2.3);
  });

  it('finds records behind claims that come to nothing', () => {
    const whole = frame(Buffer.from(text(5)));
    const bytes = Buffer.concat([Buffer.alloc(64, '{'), claims(27), whole]);
    expect(new FrameSearch(bytes).find(1)).toBe(bytes.length - whole.length);
  });
});
