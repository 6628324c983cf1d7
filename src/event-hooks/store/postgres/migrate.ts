import { KongTsError } from '../../../base/errors.ts';
import { counted } from '../hours.ts';
import { attemptsKept } from '../types.ts';
import type { Database } from './database.ts';
import type { PgClient } from './driver.ts';
import { storeError } from './errors.ts';
import { commitFunctions } from './functions-commit.ts';
import { upkeepFunctions } from './functions-upkeep.ts';
import { numbersPerDay, schemaVersion, tables } from './tables.ts';

/** The oldest PostgreSQL that Kong runs on. */
const oldestServer = 130_000;

/** One step for each version, forward only. What has been released is never changed: a change is another step. */
const steps: readonly string[] = [`${tables}${commitFunctions}${upkeepFunctions}`];

export interface SchemaState {
  /** Before; 0: there was none. */
  readonly from: number;
  readonly to: number;
}

interface ServerFacts {
  readonly server: number;
  readonly version: string;
  readonly encoding: string;
  readonly standby: boolean;
  readonly made: boolean;
}

/**
 * Sees to it that the schema is the one of this program.
 * @param mayChange make it, or bring it forward; else only look
 * @throws KongTsError STORE_FAILED: the server is too old, read-only, no UTF-8, or the schema is newer or not there
 */
export async function ensureSchema(database: Database, mayChange: boolean): Promise<SchemaState> {
  const { place } = database;
  await checkServer(database);
  const found = await versionOf((text) => database.query(text));
  checkVersion(found, place.schema);
  if (found === schemaVersion) return { from: found, to: found };
  if (!mayChange) {
    throw new KongTsError(
      'STORE_FAILED',
      `The schema ${place.schema} in PostgreSQL (${place.shown}) ${found === 0 ? 'is not there' : `has version ${String(found)}, this program needs ${String(schemaVersion)}`}.`,
      { fix: 'Run kong-ts hooks migrate.' },
    );
  }
  const client = database.client();
  try {
    await client.connect();
    return await migrate(client, place.schema);
  } catch (error) {
    throw storeError(place, error);
  } finally {
    // Ends the transaction with it, wherever that stopped.
    await client.end().catch(() => undefined);
  }
}

async function migrate(client: PgClient, schema: string): Promise<SchemaState> {
  await client.query('BEGIN');
  await client.query("SET LOCAL lock_timeout = '30s'");
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`kong-ts ${schema} schema`]);
  const ask = (text: string): ReturnType<PgClient['query']> => client.query(text.replaceAll('{s}', schema));
  // Another one may have done it meanwhile.
  const from = await versionOf(ask);
  checkVersion(from, schema);
  const { rows } = await ask("SELECT to_regnamespace('{s}') IS NULL AS missing");
  if (rows[0]?.missing === true) await ask('CREATE SCHEMA {s}');
  if (from === 0)
    await ask('CREATE TABLE {s}.version (one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL)');
  for (const step of steps.slice(from)) await ask(filled(step, schema));
  await client.query(
    `INSERT INTO ${schema}.version VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET version = excluded.version`,
    [schemaVersion],
  );
  await client.query('COMMIT');
  return { from, to: schemaVersion };
}

const filled = (step: string, schema: string): string =>
  step
    .replaceAll('{s}', schema)
    .replaceAll('{lock}', `hashtextextended('kong-ts ${schema} writes', 0)`)
    .replaceAll('{leases}', `hashtextextended('kong-ts ${schema} leases', 0)`)
    .replaceAll('{perDay}', String(numbersPerDay))
    .replaceAll('{attemptsKept}', String(attemptsKept))
    .replaceAll('{delivered}', String(counted.delivered))
    .replaceAll('{failed}', String(counted.failed))
    .replaceAll('{dead}', String(counted.dead));

async function checkServer(database: Database): Promise<void> {
  const { rows } = await database.query(
    `SELECT current_setting('server_version_num')::integer AS server, current_setting('server_version') AS version,
      current_setting('server_encoding') AS encoding, to_regclass('{s}.version') IS NOT NULL AS made,
      pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS standby`,
  );
  const { server, version, encoding, standby } = rows[0] as unknown as ServerFacts;
  const { shown } = database.place;
  if (server < oldestServer)
    throw refused(shown, `is version ${version}, which is too old`, 'Use PostgreSQL 13 or later.');
  if (standby)
    throw refused(
      shown,
      'is read-only, as a standby is',
      'Name the primary, or a name that follows it after a failover.',
    );
  if (encoding !== 'UTF8')
    throw refused(shown, `has the encoding ${encoding}`, 'Make the database with ENCODING UTF8.');
}

async function versionOf(
  ask: (text: string) => Promise<{ readonly rows: readonly Record<string, unknown>[] }>,
): Promise<number> {
  const { rows } = await ask("SELECT to_regclass('{s}.version') IS NOT NULL AS made");
  if (rows[0]?.made !== true) return 0;
  const found = await ask('SELECT max(version) AS version FROM {s}.version');
  return Number(found.rows[0]?.version ?? 0);
}

function checkVersion(found: number, schema: string): void {
  if (found <= schemaVersion) return;
  throw new KongTsError(
    'STORE_FAILED',
    `The schema ${schema} has version ${String(found)}, made by a newer program: this one knows versions up to ${String(schemaVersion)}.`,
    { fix: 'Upgrade kong-ts on this node. Nothing was changed.' },
  );
}

const refused = (shown: string, what: string, fix: string): KongTsError =>
  new KongTsError('STORE_FAILED', `The PostgreSQL of the event hook store (${shown}) ${what}.`, { fix });
