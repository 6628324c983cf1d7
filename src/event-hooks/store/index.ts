import { join } from 'node:path';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { makePrivateFolder } from '../../unix/private.ts';
import type { HookLog } from '../log.ts';
import { MemoryStore } from './memory.ts';
import type { HookStore } from './types.ts';

/** The file below the data directory. */
export const storeFile = 'event-hooks.db';
/** What a dispatcher keeps in its data directory. */
const ours = /^[\w-]+\.db(-wal|-shm|-journal)?$/;

/**
 * Opens the durable store, or the one in memory when there is no folder. A file that is broken is left as it is: the
 * dispatcher goes on in memory and says so, since events that can be delivered are worth more than none.
 * @throws KongTsError STORE_FAILED when the folder cannot be made
 */
export async function openStore(options: {
  dataDir: string | null;
  synchronous: 'normal' | 'full';
  log: HookLog;
  /** Identities remembered for on_change and snooze. */
  suppressionSize?: number;
}): Promise<HookStore> {
  const { dataDir, synchronous, log, suppressionSize: firings = 100_000 } = options;
  if (dataDir === null) {
    log.notice(
      'event hooks are kept in memory: without --data-dir, hooks and deliveries end with the process',
    );
    return new MemoryStore({ firings });
  }
  try {
    makePrivateFolder(dataDir, (name) => ours.test(name));
  } catch (error) {
    throw new KongTsError(
      'STORE_FAILED',
      `The data directory ${dataDir} cannot be made: ${messageOf(error)}.`,
      { cause: error },
    );
  }
  const { SqliteStore } = await import('./sqlite/index.ts');
  const file = join(dataDir, storeFile);
  try {
    return new SqliteStore(file, { synchronous, firings });
  } catch (error) {
    log.error('the event hook store cannot be opened; going on in memory', {
      file,
      error: messageOf(error),
      fix: 'Mend the file or move it away, then restart. It was not changed.',
    });
    return new MemoryStore({ firings });
  }
}
