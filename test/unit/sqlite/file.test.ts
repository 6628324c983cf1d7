import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { KongTsError } from '../../../src/base/errors.ts';
import { resultCode, SqliteFile } from '../../../src/sqlite/index.ts';
import type { SqliteOptions } from '../../../src/sqlite/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-sqlite-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
});

const layout = { version: 1, sql: 'CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT);' };
function open(name = 'a.db', options: Partial<SqliteOptions> = {}): SqliteFile {
  const file = new SqliteFile(join(folder, name), {
    name: 'The list',
    layout,
    synchronous: 'normal',
    busyMs: 50,
    ...options,
  });
  onTestFinished(() => {
    try {
      file.close();
    } catch {
      // The test has closed it.
    }
  });
  return file;
}
const put = (file: SqliteFile, text: string): number => file.change('INSERT INTO t (text) VALUES (?)', text);
const texts = (file: SqliteFile): string[] =>
  file.all<{ text: string }>('SELECT text FROM t ORDER BY n').map(({ text }) => text);

describe('a SQLite file', () => {
  it('keeps what was written, for its owner alone', () => {
    const file = open();
    expect(put(file, 'one')).toBe(1);
    file.close();
    expect(texts(open())).toEqual(['one']);
    expect(statSync(join(folder, 'a.db')).mode & 0o777).toBe(0o600);
  });

  it('takes a transaction back as a whole when its function throws, and goes on', () => {
    const file = open();
    expect(() =>
      file.atomic(() => {
        put(file, 'one');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(texts(file)).toEqual([]);
    expect(file.atomic(() => put(file, 'two'))).toBe(1);
    expect(texts(file)).toEqual(['two']);
  });

  it('reads rows until they have a size, and one by one', () => {
    const file = open();
    for (const text of ['aaa', 'bbb', 'ccc']) put(file, text);
    const size = ({ text }: { text: string }): number => text.length;
    const sql = 'SELECT text FROM t ORDER BY n';
    expect(file.until(size, 4, sql)).toEqual([{ text: 'aaa' }, { text: 'bbb' }]);
    expect(file.until(size, 1, sql)).toHaveLength(1);
    expect([...file.each<{ text: string }>(sql)].map(size)).toEqual([3, 3, 3]);
    expect(file.get('SELECT text FROM t WHERE n = ?', 9)).toBeUndefined();
  });

  it('says with another number that another connection has written, and not that it has written itself', () => {
    const [file, other] = [open(), open()];
    const before = file.dataVersion;
    put(file, 'mine');
    expect(file.dataVersion).toBe(before);
    put(other, 'theirs');
    expect(file.dataVersion).not.toBe(before);
  });

  it('of an older layout gets the new tables and keeps its rows; of a newer one is refused', () => {
    const older = open();
    put(older, 'kept');
    older.close();
    const sql = `${layout.sql} CREATE TABLE IF NOT EXISTS more (n INTEGER);`;
    const file = open('a.db', { layout: { version: 2, sql } });
    expect([texts(file), file.all('SELECT * FROM more')]).toEqual([['kept'], []]);
    file.close();
    expect(() => open()).toThrow(/a\.db was written by a newer kong-ts \(layout 2\)/);
  });
});

describe('a failure', () => {
  it('names the file, what SQLite says and what to do', () => {
    writeFileSync(join(folder, 'a.db'), 'a letter to the operator, and no database'.repeat(100));
    expect(() => open()).toThrow(
      /^The list .*a\.db failed: file is not a database\. The file is not a database: move it away/,
    );
  });

  it.each([
    ['is locked', 5, 'Another process keeps it locked'],
    ['has no room', 13, 'The disk is full'],
  ])('of a file that %s is SQLite code %d and says so', (_name, code, fix) => {
    const file = open();
    if (code === 5) open().prepare('BEGIN IMMEDIATE').run();
    else file.limitPages(3);
    let error: unknown;
    try {
      file.guard(() => file.atomic(() => put(file, 'x'.repeat(100_000))));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(KongTsError);
    expect(error).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining(fix) as string });
    expect(resultCode((error as KongTsError).cause)).toBe(code);
  });

  it('ends with the words of whoever opened the file', () => {
    const file = open('a.db', { fix: 'Remove the file.' });
    expect(() => file.guard(() => file.get('SELECT * FROM nowhere'))).toThrow(
      /no such table: nowhere\. Remove the file\./,
    );
  });

  it('that is not a matter of the file passes as it is', async () => {
    const ours = new RangeError('ours');
    const file = open('a.db', { passes: (error) => error instanceof RangeError });
    const thrower = (error: Error) => () => {
      throw error;
    };
    expect(() => file.guard(thrower(ours))).toThrow(ours);
    const usage = new KongTsError('USAGE', 'so');
    await expect(file.run(thrower(usage))).rejects.toBe(usage);
    await expect(file.run(thrower(new Error('x')))).rejects.toThrow(/^The list/);
  });

  it('tells that the file has gone', () => {
    const file = open();
    rmSync(join(folder, 'a.db'));
    expect(() => file.guard(() => file.get('SELECT * FROM nowhere'))).toThrow(/\(the file is gone\)/);
  });

  it('to make a file in a folder that is not there is told, too', () => {
    chmodSync(folder, 0o700);
    expect(() => open('none/a.db')).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }) as Error);
  });
});
