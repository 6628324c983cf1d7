import { messageOf } from '../../../base/errors.ts';
import { resultCode, SqliteFile } from '../../../sqlite/index.ts';
import type { Synchronous } from '../../../sqlite/index.ts';
import { EventRefusedError } from '../types.ts';
import { schema, schemaVersion } from './schema.ts';

/** Opens or makes the file. @throws KongTsError STORE_FAILED */
export const openDatabase = (file: string, synchronous: Synchronous): SqliteFile =>
  new SqliteFile(file, {
    name: 'The event hook store',
    layout: { version: schemaVersion, sql: schema },
    synchronous,
    busyMs: 2000,
    cacheKiB: 16_384,
    passes: (error) => error instanceof EventRefusedError,
  });

/** SQLite's words for a value that it will never take: too big, constraint, mismatch, range. */
const ofTheValue = new Set([18, 19, 20, 25]);

/** Runs the writing of one event. @throws EventRefusedError if the event is the reason of a failure */
export function ofOneEvent<T>(index: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = resultCode(error);
    const refused =
      code === null ? error instanceof TypeError || error instanceof RangeError : ofTheValue.has(code);
    throw refused ? new EventRefusedError(index, messageOf(error)) : error;
  }
}
