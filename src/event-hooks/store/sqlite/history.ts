import type { SqliteFile } from '../../../sqlite/index.ts';
import { HourTable } from '../hour-table.ts';
import { hourOf, risesOf } from '../hours.ts';
import type { AttemptResult, History } from '../types.ts';
import { wholeNumber } from './columns.ts';

/** The row that says since when hours are counted: of no hook. */
const noHook = 0;

/** The hours of hooks, as rows of a hook, an hour, and one number each. */
export class Hours {
  readonly #file: SqliteFile;

  /** @param now when counting begins, if it has not yet; milliseconds since the epoch */
  constructor(file: SqliteFile, now: number) {
    this.#file = file;
    file.change(
      'INSERT INTO history (hook, hour, what, n) SELECT ?, ?, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM history WHERE hook = ?)',
      noHook,
      now,
      noHook,
    );
  }

  /** Part of the transaction that stores the results. */
  count(results: readonly AttemptResult[], numberOf: (hookId: string) => number | undefined): void {
    for (const { hookId, hour, what, by } of risesOf(results)) {
      const number = numberOf(hookId);
      if (number === undefined) continue;
      this.#file.change(
        'INSERT INTO history (hook, hour, what, n) VALUES (?, ?, ?, ?) ON CONFLICT (hook, hour, what) DO UPDATE SET n = n + excluded.n',
        number,
        hour,
        what,
        by,
      );
    }
  }

  read(since: number, numbers: ReadonlyMap<string, number>): History {
    const ids = new Map([...numbers].map(([id, number]) => [number, id]));
    const table = new HourTable();
    const rows = this.#file.each<{ hook: number; hour: number; what: number; n: number }>(
      `SELECT ${wholeNumber('hook')} AS hook, ${wholeNumber('hour')} AS hour, CAST(what AS INTEGER) AS what, ${wholeNumber('n')} AS n FROM history WHERE hour >= ? AND what BETWEEN -1000 AND 10000`,
      since,
    );
    for (const { hook, hour, what, n } of rows) {
      const id = ids.get(hook);
      if (id !== undefined) table.add(id, hourOf(hour), what, n);
    }
    const begun = this.#file.get<{ hour: number }>(
      `SELECT ${wholeNumber('hour')} AS hour FROM history WHERE hook = ?`,
      noHook,
    );
    return { since: begun?.hour ?? 0, hours: table.from(0) };
  }

  forgetHook(number: number): void {
    this.#file.change('DELETE FROM history WHERE hook = ?', number);
  }
}

/** Drops hours that began before a time. */
export function dropHours(file: SqliteFile, before: number): void {
  file.change('DELETE FROM history WHERE hook <> ? AND hour < ?', noHook, hourOf(before));
}
