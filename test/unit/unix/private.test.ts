import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/event-hooks/store/sqlite/database.ts';
import { openStore } from '../../../src/event-hooks/store/open.ts';
import { SqliteSnapshots } from '../../../src/kong-watch/watcher/snapshot/sqlite.ts';
import { pluginDataDir } from '../../../src/server/worker/setup-context.ts';
import { makeFolder, makePrivateFile, makePrivateFolder } from '../../../src/unix/private.ts';
import { Segment } from '../../../plugins/http-log-enterprise/spool/segment.ts';
import { claimFolder } from '../../../plugins/http-log-enterprise/spool/lease.ts';

let folder: string;
let umask: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-'));
  // As Kong leaves it to a server that it starts.
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

const mode = (path: string): number => statSync(path).mode & 0o777;
const open = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(
    (name) => (mode(join(path, name)) & 0o077) !== 0,
  );
const log = { info() {}, notice() {}, warn() {}, error() {} };

describe('a database in memory', () => {
  it('makes no file of that name', () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      openDatabase(':memory:', 'normal').close();
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      process.chdir(before);
    }
  });
});

describe('files of ours under umask 0', () => {
  it('are private in a data directory that was open to others, databases and what SQLite adds included', async () => {
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'event-hooks.db'), '', { mode: 0o644 });
    const store = await openStore(`sqlite:${folder}`, { synchronous: 'normal', log });
    const snapshots = new SqliteSnapshots(join(folder, 'kong-snapshot.db'));
    const database = openDatabase(join(folder, 'more.db'), 'normal');
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['event-hooks.db-wal', 'kong-snapshot.db']));
    expect([mode(folder), ...open(folder)]).toEqual([0o700]);
    database.close();
    await snapshots.close();
    await store.close();
  });

  it('are private where a plugin keeps its data, spool and lease included', async () => {
    chmodSync(folder, 0o755);
    const own = pluginDataDir(folder, 'some-plugin') ?? '';
    const claimed = await claimFolder(join(own, 'a'));
    const segment = await Segment.create(join(claimed, '1.seg'));
    await segment.write([Buffer.from('record')], false, 0);
    segment.markDone([0]);
    await segment.flushDone();
    await segment.close();
    expect([mode(folder), ...open(folder)]).toEqual([0o700]);
    expect(readdirSync(claimed).sort()).toEqual(['1.seg', '1.seg.done', 'owner']);
  });

  it('leave a folder alone that serves other purposes, too', () => {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'somebody-elses'));
    makePrivateFolder(folder, (name) => name === 'ours');
    expect(mode(folder)).toBe(0o755);
  });

  it('have their mode whatever the umask', async () => {
    process.umask(0o777);
    await makeFolder(join(folder, 'a/b'), 0o711);
    makePrivateFolder(join(folder, 'c/d'), () => true);
    expect(['a', 'a/b', 'c', 'c/d'].map((name) => mode(join(folder, name)))).toEqual([
      0o711, 0o711, 0o700, 0o700,
    ]);
    process.umask(0);
    makePrivateFile(join(folder, 'c/d/file'));
    expect(mode(join(folder, 'c/d/file'))).toBe(0o600);
  });
});
