import type { FiringRule } from '../types.ts';
import { holdsBack } from '../suppression.ts';
import { asText, wholeNumber } from './columns.ts';
import type { SqliteFile } from '../../../sqlite/index.ts';

/** What fired last, per hook and identity, in the file: shared by every process that has it open. */
export class Firings {
  readonly #file: SqliteFile;
  readonly #max: number;
  /** How many are in the file, as far as this process knows. */
  #count: number;
  #clock: number;

  /** @param max identities kept over all hooks */
  constructor(file: SqliteFile, max: number) {
    this.#file = file;
    this.#max = max;
    this.#count = 0;
    this.#clock = 0;
    this.recount();
  }

  /** Looks at the file again: another process, or a transaction that was taken back, may have changed it. */
  recount(): void {
    const found = this.#file.get<{ n: number; used: number | null }>(
      'SELECT count(*) AS n, max(used) AS used FROM firings WHERE used BETWEEN 0 AND 4503599627370496',
    );
    this.#count = found?.n ?? 0;
    this.#clock = Math.max(this.#clock, found?.used ?? 0);
  }

  /** Whether the event fires the hook of this number; see {@link FiringRule}. Part of a transaction. */
  fires(hook: number, { identity, digest, snoozeMs, now }: FiringRule): boolean {
    const file = this.#file;
    const known = file.get<{ digest: string | null; quiet: number }>(
      `SELECT ${asText('digest')} AS digest, ${wholeNumber('quiet')} AS quiet FROM firings WHERE hook = ? AND identity = ?`,
      hook,
      identity,
    );
    this.#clock += 1;
    if (known !== undefined && holdsBack({ ...known, quietUntil: known.quiet }, digest, snoozeMs, now)) {
      file.change('UPDATE firings SET used = ? WHERE hook = ? AND identity = ?', this.#clock, hook, identity);
      return false;
    }
    file.change(
      'INSERT OR REPLACE INTO firings (hook, identity, digest, quiet, used) VALUES (?, ?, ?, ?, ?)',
      hook,
      identity,
      digest,
      now + snoozeMs,
      this.#clock,
    );
    if (known === undefined && ++this.#count > this.#max) this.#makeRoom();
    return true;
  }

  forgetHook(hook: number): void {
    this.#count -= this.#file.change('DELETE FROM firings WHERE hook = ?', hook);
  }

  #makeRoom(): void {
    this.recount();
    const more = this.#count - this.#max;
    if (more <= 0) return;
    this.#count -= this.#file.change(
      'DELETE FROM firings WHERE (hook, identity) IN (SELECT hook, identity FROM firings ORDER BY used LIMIT ?)',
      more,
    );
  }
}
