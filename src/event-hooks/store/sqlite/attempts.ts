import { attemptsKept } from '../types.ts';
import type { Attempt, AttemptResult } from '../types.ts';
import { anyNumber, asText, wholeNumber } from './columns.ts';
import type { SqliteFile } from '../../../sqlite/index.ts';

const shown = `${wholeNumber('finished')} AS finished, ${wholeNumber('status', 'NULL')} AS status, coalesce(${anyNumber('latency')}, 0) AS latency, ${asText('error')} AS error`;

interface AttemptRow {
  attempt: number;
  finished: number;
  status: number | null;
  latency: number;
  error: string | null;
}

/**
 * Remembers an attempt, the last ones of a delivery. A delivery that succeeds the first time has no row of its own: its
 * record says it all.
 */
export function keepAttempt(file: SqliteFile, hook: number, result: AttemptResult): void {
  const { seq, attempts, finishedAt, status, latencyMs, error } = result;
  if (attempts === 1 && result.state === 'delivered') return;
  file.change(
    'INSERT OR REPLACE INTO attempts (hook, seq, attempt, finished, status, latency, error) VALUES (?, ?, ?, ?, ?, ?, ?)',
    hook,
    seq,
    attempts,
    finishedAt,
    status,
    latencyMs,
    error,
  );
  if (attempts > attemptsKept) {
    file.change(
      'DELETE FROM attempts WHERE hook = ? AND seq = ? AND attempt <= ?',
      hook,
      seq,
      attempts - attemptsKept,
    );
  }
}

/** Writes down the one attempt of a delivery that is about to be made again. */
export function keepFirstAttempt(file: SqliteFile, hook: number, seq: number): void {
  file.change(
    'INSERT OR IGNORE INTO attempts (hook, seq, attempt, finished, status, latency, error) SELECT hook, seq, 1, finished, status, latency, error FROM deliveries WHERE hook = ? AND seq = ? AND state = 2 AND attempts = 1',
    hook,
    seq,
  );
}

/** The last attempts of a delivery, oldest first. */
export function attemptsOf(file: SqliteFile, hook: number, seq: number): Attempt[] {
  return file
    .all<AttemptRow>(
      `SELECT ${wholeNumber('attempt', '1')} AS attempt, ${shown} FROM attempts WHERE hook = ? AND seq = ? UNION ALL SELECT 1, ${shown} FROM deliveries WHERE hook = ? AND seq = ? AND state = 2 AND attempts = 1 ORDER BY attempt`,
      hook,
      seq,
      hook,
      seq,
    )
    .map(({ attempt, finished, status, latency, error }) => ({
      attempt,
      finishedAt: finished,
      status,
      latencyMs: latency,
      error,
    }));
}
