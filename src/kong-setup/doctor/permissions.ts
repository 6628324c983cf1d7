import type { Stats } from 'node:fs';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Who runs the nginx workers, to judge permissions; null when not known here. */
export interface KongUser {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** @param right 4 to read, 2 to write, 1 to pass through a folder */
export function may(right: number, stats: Stats, user: KongUser): boolean {
  if (user.uid === 0) return true;
  const shift = stats.uid === user.uid ? 6 : user.gids.includes(stats.gid) ? 3 : 0;
  return (stats.mode & (right << shift)) !== 0;
}

/** The first folder on the way to a file, as written or behind links, that the user may not pass; null: none. */
export function closedFolder(file: string, user: KongUser): string | null {
  const ways = [file, ...(existsSync(file) ? [realpathSync(file)] : [])];
  for (const way of ways) {
    const parts = dirname(way).split('/');
    for (let count = 1; count <= parts.length; count += 1) {
      const folder = parts.slice(0, count).join('/') || '/';
      const stats = existsSync(folder) ? statSync(folder) : null;
      if (stats !== null && !may(0o1, stats, user)) return folder;
    }
  }
  return null;
}
