import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { KongTsError, messageOf } from '../../../base/errors.ts';
import { makePrivateFile } from '../../../unix/private.ts';
import { EventRefusedError } from '../types.ts';
import { schema, schemaVersion } from './schema.ts';

/** How durable a commit is: against the end of the process (`normal`), or against loss of power, too (`full`). */
export type Synchronous = 'normal' | 'full';

/** Opens or makes the file. @throws KongTsError STORE_FAILED */
export function openDatabase(file: string, synchronous: Synchronous): DatabaseSync {
  return guarded(file, () => {
    // SQLite gives the files beside it the mode of this one.
    if (file !== ':memory:') makePrivateFile(file, ['-wal', '-shm', '-journal']);
    const db = new DatabaseSync(file, { timeout: 2000 });
    try {
      // In WAL mode a commit is in the operating system's hands before it returns, which a killed process cannot undo.
      // NORMAL leaves the flush to disk to checkpoints: a loss of power may cost the last commits, never the file.
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous.toUpperCase()};`);
      db.exec(
        'PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;',
      );
      const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
      if (version > schemaVersion) {
        throw new KongTsError(
          'STORE_FAILED',
          `${file} was written by a newer kong-ts (layout ${String(version)}).`,
        );
      }
      if (version < schemaVersion) db.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Runs something on the database and turns what SQLite says into an error that says what to do. */
export function guarded<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof KongTsError || error instanceof EventRefusedError) throw error;
    const code = (error as { errcode?: number }).errcode ?? 0;
    const exists = existsSync(file) ? '' : ' (the file is gone)';
    const message = `The event hook store ${file} failed: ${messageOf(error)}${exists}.`;
    const fix = fixes[code & 0xff];
    throw new KongTsError('STORE_FAILED', message, { cause: error, ...(fix === undefined ? {} : { fix }) });
  }
}

/** SQLite's words for a value that it will never take: too big, constraint, mismatch, range. */
const ofTheValue = new Set([18, 19, 20, 25]);

/** Runs what writes one event: where the event is the reason of a failure, it is told so. @throws EventRefusedError */
export function ofOneEvent<T>(index: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = (error as { errcode?: number }).errcode;
    const refused =
      code === undefined
        ? error instanceof TypeError || error instanceof RangeError
        : ofTheValue.has(code & 0xff);
    throw refused ? new EventRefusedError(index, messageOf(error)) : error;
  }
}

/** By SQLite's primary result code. */
const fixes: Record<number, string> = {
  5: 'Another process keeps it locked: stop that one, or wait.',
  8: 'It cannot be written: look at the permissions of the file and its folder.',
  10: 'The disk does not answer: look at the system log.',
  11: 'The file is damaged: move it away, or mend it with "sqlite3 FILE .recover".',
  13: 'The disk is full: make room; events are taken again as soon as there is some.',
  14: 'Look at the permissions of the file and its folder.',
  26: 'The file is not a database: move it away.',
};

/** Runs a function in one transaction that takes the write lock at once. */
export function transaction<T>(db: DatabaseSync, run: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = run();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
