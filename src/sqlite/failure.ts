import { existsSync } from 'node:fs';
import { KongTsError, messageOf } from '../base/errors.ts';

/** SQLite's primary result code of an error (https://sqlite.org/rescode.html); null for an error that is not SQLite's. */
export function resultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : null;
}

/** What to do, by SQLite's primary result code. */
const fixes: Readonly<Record<number, string>> = {
  5: 'Another process keeps it locked: stop that one, or wait.',
  8: 'It cannot be written: look at the permissions of the file and its folder.',
  10: 'The disk does not answer: look at the system log.',
  11: 'The file is damaged: move it away, or mend it with "sqlite3 FILE .recover".',
  13: 'The disk is full: make room; what waits is taken again as soon as there is some.',
  14: 'Look at the permissions of the file and its folder.',
  26: 'The file is not a database: move it away.',
};

/**
 * An error of SQLite as one that says what to do.
 * @param name what the file is, as it begins a sentence
 * @param more what else can be done with this file; it follows what the code of the failure asks for
 */
export function failure(name: string, file: string, error: unknown, more?: string): KongTsError {
  const gone = file === ':memory:' || existsSync(file) ? '' : ' (the file is gone)';
  const fix = [fixes[resultCode(error) ?? 0], more].filter((one) => one !== undefined).join(' ');
  return new KongTsError('STORE_FAILED', `${name} ${file} failed: ${messageOf(error)}${gone}.`, {
    cause: error,
    ...(fix === '' ? {} : { fix }),
  });
}
