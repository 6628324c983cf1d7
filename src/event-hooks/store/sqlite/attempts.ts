import { attemptsKept } from '../types.ts';
import type { Attempt, AttemptResult } from '../types.ts';
import { anyNumber, asText, wholeNumber } from './columns.ts';
import { sentOf } from '../sent-request.ts';
import type { SqliteFile } from '../../../sqlite/index.ts';

const shown = `${wholeNumber('a.finished')} AS finished, ${wholeNumber('a.status', 'NULL')} AS status, coalesce(${anyNumber('a.latency')}, 0) AS latency, ${asText('a.error')} AS error, ${asText('s.request')} AS request`;
const withSent = (attempt: string): string =>
  `LEFT JOIN sent s ON s.hook = a.hook AND s.seq = a.seq AND s.attempt = ${attempt}`;

interface AttemptRow {
  attempt: number;
  finished: number;
  status: number | null;
  latency: number;
  error: string | null;
  request: string | null;
  response: string | null;
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
  const isFirst = 'd.hook = ? AND d.seq = ? AND d.state = 2 AND d.attempts = 1';
  file.change(
    `INSERT OR IGNORE INTO attempts (hook, seq, attempt, finished, status, latency, error) SELECT hook, seq, 1, finished, status, latency, error FROM deliveries d WHERE ${isFirst}`,
    hook,
    seq,
  );
  file.change(
    `INSERT INTO sent (hook, seq, attempt, response) SELECT hook, seq, 1, response FROM deliveries d WHERE ${isFirst} ON CONFLICT (hook, seq, attempt) DO UPDATE SET response = excluded.response`,
    hook,
    seq,
  );
}

/** The last attempts of a delivery, oldest first. */
export function attemptsOf(file: SqliteFile, hook: number, seq: number): Attempt[] {
  return file
    .all<AttemptRow>(
      `SELECT ${wholeNumber('a.attempt', '1')} AS attempt, ${shown}, ${asText('s.response')} AS response FROM attempts a ${withSent('a.attempt')} WHERE a.hook = ? AND a.seq = ? UNION ALL SELECT 1, ${shown}, ${asText('a.response')} FROM deliveries a ${withSent('1')} WHERE a.hook = ? AND a.seq = ? AND a.state = 2 AND a.attempts = 1 ORDER BY attempt`,
      hook,
      seq,
      hook,
      seq,
    )
    .map(({ attempt, finished, status, latency, error, request, response }) => ({
      attempt,
      finishedAt: finished,
      status,
      latencyMs: latency,
      error,
      response,
      request: sentOf(request),
    }));
}
