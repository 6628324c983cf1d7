import type { SqliteFile } from '../../../sqlite/index.ts';
import type { AttemptResult } from '../types.ts';
import { attemptsKept } from '../types.ts';

/** What an attempt has sent, and the answer, where `deliveries` does not keep it because another attempt has followed. */
export function keepSent(file: SqliteFile, hook: number, result: AttemptResult): void {
  const { seq, attempts, request = null, response } = result;
  if (request === null && response === null) return;
  const isOnly = attempts === 1 && result.state === 'delivered';
  file.change(
    'INSERT OR REPLACE INTO sent (hook, seq, attempt, request, response) VALUES (?, ?, ?, ?, ?)',
    hook,
    seq,
    attempts,
    request === null ? null : JSON.stringify(request),
    isOnly ? null : response,
  );
  if (attempts > attemptsKept)
    file.change(
      'DELETE FROM sent WHERE hook = ? AND seq = ? AND attempt <= ?',
      hook,
      seq,
      attempts - attemptsKept,
    );
}
