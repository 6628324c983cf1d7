import { join } from 'node:path';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { isLoopback } from '../../http/index.ts';
import { makePrivateFolder } from '../../unix/index.ts';
import type { HookLog } from '../log.ts';
import { MemoryStore } from './memory.ts';
import type { HookStore } from './types.ts';

/** The file below the data directory. */
export const storeFile = 'event-hooks.db';
/** What a dispatcher keeps in its data directory. */
const ours = /^[\w-]+\.db(-wal|-shm|-journal)?$/;

export interface StoreOptions {
  /** See DispatcherOptions. */
  readonly synchronous: 'normal' | 'full';
  readonly log: HookLog;
  /** Says when a store looks for what others have written. Default: the system's. */
  readonly clock?: Clock;
  /** Identities remembered for on_change and snooze. Default 100,000. */
  readonly suppressionSize?: number;
  /** Of the user of a database; wins over the one in the store's name. */
  readonly storePassword?: string | null;
}

interface Opener {
  /** Its names, as the help writes them. */
  readonly written: string;
  /** @param place what stands behind the colon, `name` all of it */
  readonly open: (place: string, options: StoreOptions, name: string) => HookStore | Promise<HookStore>;
}

/** The stores by the word before the colon of their names. A store is added here, and nowhere else. */
const openers: Readonly<Record<string, Opener>> = {
  memory: { written: 'memory:', open: openMemory },
  sqlite: { written: 'sqlite:FOLDER', open: openSqlite },
  postgres: { written: 'postgres://USER@HOST/DATABASE', open: openPostgres },
};

/** How each store is named, for the help. */
export const storeNames: readonly string[] = Object.values(openers).map(({ written }) => written);

/** The name of the store that a data directory stands for; null: in memory. */
export const storeOf = (dataDir: string | null): string =>
  dataDir === null ? 'memory:' : `sqlite:${dataDir}`;

/**
 * Opens a store by its name: `memory:`, `sqlite:` and a folder, or `postgres:` as a URL.
 * @throws KongTsError USAGE for an unknown name, STORE_FAILED when the place cannot be used
 */
export async function openStore(name: string, options: StoreOptions): Promise<HookStore> {
  const [, written = '', place = ''] = /^([a-z]+):(.*)$/su.exec(name) ?? [];
  const kind = written === 'postgresql' ? 'postgres' : written;
  const opener = Object.hasOwn(openers, kind) ? openers[kind] : undefined;
  if (opener === undefined) {
    throw new KongTsError('USAGE', `"${kind === '' ? name : `${kind}:`}" names no store of event hooks.`, {
      fix: `Write one of: ${storeNames.join(', ')}.`,
    });
  }
  return opener.open(place, options, name);
}

function openMemory(place: string, { log, suppressionSize: firings = 100_000 }: StoreOptions): HookStore {
  if (place !== '')
    throw new KongTsError('USAGE', 'The store "memory:" is at no place: write nothing behind it.');
  log.notice('event hooks are kept in memory: without --data-dir, hooks and deliveries end with the process');
  return new MemoryStore({ firings });
}

/**
 * A broken file is left as it is. The dispatcher goes on in memory and says so, because it can still deliver new
 * events.
 */
async function openSqlite(folder: string, options: StoreOptions): Promise<HookStore> {
  const { log, synchronous, clock, suppressionSize: firings = 100_000 } = options;
  if (folder === '')
    throw new KongTsError('USAGE', 'The store "sqlite:" needs a folder, as in sqlite:./data.');
  try {
    makePrivateFolder(folder, (name) => ours.test(name));
  } catch (error) {
    throw new KongTsError(
      'STORE_FAILED',
      `The data directory ${folder} cannot be made: ${messageOf(error)}.`,
      {
        cause: error,
      },
    );
  }
  const { SqliteStore } = await import('./sqlite/store.ts');
  const file = join(folder, storeFile);
  let store: HookStore | null = null;
  try {
    store = new SqliteStore(file, { synchronous, firings, ...(clock === undefined ? {} : { clock }) });
    // Damage within the file shows only when it is read. So this reads what every start needs.
    await store.hooks();
    return store;
  } catch (error) {
    await store?.close().catch(() => undefined);
    log.error('the event hook store cannot be opened; going on in memory', {
      file,
      error: messageOf(error),
      fix: 'Mend the file or move it away, then restart. It was not changed.',
    });
    return new MemoryStore({ firings });
  }
}

/** A shared store is never replaced by memory: whoever cannot reach it does not start. */
async function openPostgres(_place: string, options: StoreOptions, name: string): Promise<HookStore> {
  const { log, clock, suppressionSize, storePassword } = options;
  const [{ readPlace }, { PostgresStore }] = await Promise.all([
    import('./postgres/place.ts'),
    import('./postgres/store.ts'),
  ]);
  const place = readPlace(name, storePassword ?? undefined);
  if (place.ssl === false && !isLoopback(place.host) && !place.host.startsWith('/'))
    log.notice('the connection to PostgreSQL is not encrypted: sslmode=verify-full encrypts it', {
      database: place.shown,
    });
  return PostgresStore.open(place, {
    ...(clock === undefined ? {} : { clock }),
    ...(suppressionSize === undefined ? {} : { firings: suppressionSize }),
  });
}
