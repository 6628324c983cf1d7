import { PostgresStore } from '../../../src/event-hooks/store/postgres/store.ts';
import { readPlace } from '../../../src/event-hooks/store/postgres/place.ts';
import type {
  AttemptResult,
  CommitListener,
  LeaseNames,
  NewEvent,
  Rights,
} from '../../../src/event-hooks/store/types.ts';
import { startEmbedded } from './embedded.ts';
import { PostgresServer } from './server.ts';

export interface Postgres {
  readonly url: string;
  end: () => Promise<void>;
}

/**
 * A PostgreSQL for tests: the one that KONG_TS_TEST_POSTGRES names by a URL, a throw-away cluster of an installed server
 * where that is `server`, else an embedded one.
 */
export async function startPostgres(): Promise<Postgres> {
  const named = process.env.KONG_TS_TEST_POSTGRES ?? '';
  if (named.startsWith('postgres')) return { url: named, end: async () => undefined };
  if (named !== 'server') return startEmbedded();
  const server = await PostgresServer.start({ fsync: 'off' });
  return { url: server.url(), end: () => server.remove() };
}

/** Removes everything of a schema, and lets the time that leases and firings go by be set by a test. */
export async function emptied(url: string, schema = 'kong_ts_hooks'): Promise<void> {
  const store = await PostgresStore.open(readPlace(`${url}?schema=${schema}`));
  for (const text of [
    `TRUNCATE {s}.hooks, {s}.events, {s}.seen, {s}.open, {s}.done, {s}.attempts, {s}.firings, {s}.counts, {s}.hours, {s}.new_hours, {s}.nodes, {s}.lease
      RESTART IDENTITY`,
    "SELECT setval('{s}.numbers', 0), setval('{s}.epochs', 1, false)",
    'UPDATE {s}.changes SET number = 0',
    'UPDATE {s}.retention SET floor = 0',
  ])
    await store.database.query(text);
  await store.close();
}

/**
 * Opens a store whose database lives in the time of its callers: leases and firings go by the database's clock, and a
 * test has times of its own.
 */
export async function openTimed(url: string, schema = 'kong_ts_hooks'): Promise<PostgresStore> {
  const store = await PostgresStore.open(readPlace(`${url}?schema=${schema}`));
  const { database } = store;
  await database.query('CREATE TABLE IF NOT EXISTS {s}.test_time (now bigint)');
  await database.query(
    `CREATE OR REPLACE FUNCTION {s}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
      'SELECT coalesce((SELECT max(now) FROM {s}.test_time), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)'`,
  );
  const at = async (now: number | undefined): Promise<void> => {
    await database.query('DELETE FROM {s}.test_time');
    if (now !== undefined) await database.query('INSERT INTO {s}.test_time VALUES ($1)', [now]);
  };
  const commit = store.commit.bind(store);
  const lease = store.lease.bind(store);
  store.lease = async (owner: string, now: number, ttlMs: number, names: LeaseNames): Promise<Rights> => {
    await at(now);
    return lease(owner, now, ttlMs, names);
  };
  store.commit = async (
    events: readonly NewEvent[],
    results: readonly AttemptResult[],
    listener?: CommitListener,
  ): Promise<(number | null)[]> => {
    await at(events.find(({ rules = [] }) => rules.length > 0)?.rules?.[0]?.now);
    return commit(events, results, listener);
  };
  return store;
}
