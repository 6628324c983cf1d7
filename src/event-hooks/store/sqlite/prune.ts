import type { SqliteFile } from '../../../sqlite/index.ts';
import type { RetentionLimits } from '../types.ts';
import { dropHours } from './history.ts';

/** Rows of one hook, and events, that go at a time. */
const atOnce = 2000;

/** Removes old finished deliveries and the events that nobody refers to any more. @returns how many events went */
export function prune(file: SqliteFile, { maxEvents, olderThan }: RetentionLimits): number {
  const last =
    file.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM events WHERE seq <= 9007199254740991')
      ?.seq ?? 0;
  const young = file.get<{ seq: number }>(
    'SELECT seq FROM events WHERE at BETWEEN ? AND 9007199254740991 ORDER BY seq LIMIT 1',
    olderThan,
  );
  // The last event stays, so that its number is never given out again.
  const floor = Math.min(last, Math.max(last - maxEvents + 1, young?.seq ?? last));
  return file.atomic(() => {
    dropHours(file, olderThan);
    // There may be many hooks without any.
    const hooks = 'SELECT no FROM hooks WHERE EXISTS (SELECT 1 FROM deliveries WHERE hook = no)';
    for (const { no } of file.all<{ no: number }>(hooks)) {
      for (const table of ['attempts', 'sent', 'deliveries']) {
        file.change(
          `DELETE FROM ${table} WHERE hook = ? AND seq IN (SELECT seq FROM deliveries WHERE hook = ? AND seq < ? AND state >= 2 ORDER BY seq LIMIT ?)`,
          no,
          no,
          floor,
          atOnce,
        );
      }
    }
    // CROSS JOIN: hooks first, then a look-up by key; the other way round every event would read all deliveries.
    return file.change(
      'DELETE FROM events WHERE seq IN (SELECT seq FROM events e WHERE seq < ? AND NOT EXISTS (SELECT 1 FROM hooks h CROSS JOIN deliveries d ON d.hook = h.no AND d.seq = e.seq) LIMIT ?)',
      floor,
      atOnce,
    );
  });
}
