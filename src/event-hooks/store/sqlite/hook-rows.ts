import { messageOf } from '../../../base/errors.ts';
import type { SqliteFile } from '../../../sqlite/index.ts';

interface HookRow {
  readonly id: string;
  readonly no: number;
  readonly doc: string;
}

const inRange = 'no BETWEEN 0 AND 9007199254740991';

/**
 * Reads the rows of hooks: at once, and one by one from where that fails on, so that a row which the file has lost costs
 * itself only.
 * @param take told of each row: its document, or why it cannot be read
 * @returns the hooks' numbers in the file
 */
export function readHookRows(
  file: SqliteFile,
  take: (id: string, doc: string | Error) => void,
): Map<string, number> {
  const numbers = new Map<string, number>();
  try {
    const rows = file.each<HookRow>(
      `SELECT CAST(id AS TEXT) AS id, no, CAST(doc AS TEXT) AS doc FROM hooks WHERE ${inRange}`,
    );
    for (const { id, no, doc } of rows) {
      numbers.set(id, no);
      take(id, doc);
    }
  } catch {
    readOneByOne(file, numbers, take);
  }
  return numbers;
}

/** @param numbers of the rows that were read already; takes those of the others */
function readOneByOne(
  file: SqliteFile,
  numbers: Map<string, number>,
  take: (id: string, doc: string | Error) => void,
): void {
  const rows = file.all<Omit<HookRow, 'doc'>>(
    `SELECT CAST(id AS TEXT) AS id, no FROM hooks WHERE ${inRange}`,
  );
  for (const { id, no } of rows) {
    if (numbers.has(id)) continue;
    numbers.set(id, no);
    try {
      const row = file.get<{ doc: string }>('SELECT CAST(doc AS TEXT) AS doc FROM hooks WHERE no = ?', no);
      if (row !== undefined) take(id, row.doc);
    } catch (error) {
      take(id, error instanceof Error ? error : new Error(messageOf(error)));
    }
  }
}
