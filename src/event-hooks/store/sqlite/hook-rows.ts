import { messageOf } from '../../../base/errors.ts';
import type { SqliteFile } from '../../../sqlite/index.ts';

/**
 * Reads the rows of hooks one by one, so that a row which the file has lost costs itself only.
 * @param take told of each row: its document, or why it cannot be read
 * @returns the hooks' numbers in the file
 */
export function readHookRows(
  file: SqliteFile,
  take: (id: string, doc: string | Error) => void,
): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const { id, no } of file.all<{ id: string; no: number }>(
    'SELECT CAST(id AS TEXT) AS id, no FROM hooks WHERE no BETWEEN 0 AND 9007199254740991',
  )) {
    numbers.set(id, no);
    try {
      const row = file.get<{ doc: string }>('SELECT CAST(doc AS TEXT) AS doc FROM hooks WHERE no = ?', no);
      if (row !== undefined) take(id, row.doc);
    } catch (error) {
      take(id, error instanceof Error ? error : new Error(messageOf(error)));
    }
  }
  return numbers;
}
