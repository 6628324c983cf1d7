import { hostname } from 'node:os';
import type { SqliteFile } from '../../../sqlite/index.ts';
import type { LeaseHolder } from '../types.ts';
import { asText, wholeNumber } from './columns.ts';

interface Held {
  owner: string;
  host: string;
  pid: number;
  until: number;
}
const heldNow = `SELECT ${asText('owner')} AS owner, ${asText('host')} AS host, ${wholeNumber('pid')} AS pid, ${wholeNumber('until')} AS until FROM lease`;
const epochNow = `SELECT ${wholeNumber('epoch', '0')} AS epoch FROM epochs`;
/** An older program takes the lease without a new epoch. Then the lease's owner shows that ours has passed. */
const isCurrent = `SELECT 1 FROM epochs e WHERE ${wholeNumber('e.epoch', '0')} = ? AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.owner <> e.owner)`;

/** The right to deliver, as a row of the file. */
export class Lease {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** @returns the epoch, or null where another owner has the right */
  take(owner: string, now: number, ttlMs: number): number | null {
    // Looks first without the write lock, so that a waiting process disturbs nobody.
    if (!isFree(this.#held(), owner, now, ttlMs)) return null;
    return this.#file.atomic(() => {
      const held = this.#held();
      if (!isFree(held, owner, now, ttlMs)) return null;
      this.#file.change(
        'INSERT OR REPLACE INTO lease (one, owner, host, pid, until) VALUES (1, ?, ?, ?, ?)',
        owner,
        hostname(),
        process.pid,
        now + ttlMs,
      );
      const epoch = this.#file.get<{ epoch: number }>(epochNow)?.epoch ?? 0;
      if (held?.owner === owner && epoch > 0) return epoch;
      this.#file.change(
        'INSERT OR REPLACE INTO epochs (one, owner, epoch) VALUES (1, ?, ?)',
        owner,
        epoch + 1,
      );
      return epoch + 1;
    });
  }

  release(owner: string): void {
    this.#file.change('DELETE FROM lease WHERE owner = ?', owner);
  }

  holder(): LeaseHolder | null {
    const held = this.#held();
    if (held === undefined) return null;
    const epoch = this.#file.get<{ epoch: number }>(epochNow)?.epoch ?? 0;
    return { owner: `${held.host} ${held.owner}`, epoch, until: held.until };
  }

  /** Whether nobody else has had the right since it was given under this epoch. Part of a transaction. */
  isCurrent(epoch: number): boolean {
    return this.#file.get(isCurrent, epoch) !== undefined;
  }

  #held(): Held | undefined {
    return this.#file.get<Held>(heldNow);
  }
}

function isFree(held: Held | undefined, owner: string, now: number, ttlMs: number): boolean {
  // No holder can have asked for such a time, so nobody has the right.
  const longest = now + Math.max(3_600_000, 10 * ttlMs);
  return (
    held === undefined ||
    held.owner === owner ||
    held.until <= now ||
    held.until > longest ||
    (held.host === hostname() && !alive(held.pid))
  );
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
