import { KongTsError } from '../../base/errors.ts';
import { readSecret, secrets } from '../../base/secrets.ts';
import { Database } from '../store/postgres/database.ts';
import { ensureSchema } from '../store/postgres/migrate.ts';
import { readPlace } from '../store/postgres/place.ts';
import { storeVariable } from './flags.ts';

export interface Migrated {
  readonly schema: string;
  /** Host, port and database. */
  readonly database: string;
  /** The version before; 0: there was no schema. */
  readonly from: number;
  readonly to: number;
}

/**
 * Makes the schema of a store in PostgreSQL, or brings it forward.
 * @param name of the store; default KONG_TS_HOOKS_STORE
 * @param passwordFile a file with the password
 * @throws KongTsError USAGE, FILE_UNREADABLE, STORE_FAILED
 */
export async function migrateStore(
  name: string | undefined,
  passwordFile: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Migrated> {
  const given = name ?? environment[storeVariable] ?? '';
  if (!/^postgres(?:ql)?:/.test(given))
    throw new KongTsError('USAGE', 'Only a store in PostgreSQL is migrated by a command.', {
      fix: `Name it with --store postgres://USER@HOST:PORT/DATABASE or ${storeVariable}.`,
    });
  const place = readPlace(given, readSecret(secrets.storePassword, passwordFile, environment) ?? undefined);
  const database = await Database.of(place);
  try {
    return { schema: place.schema, database: place.shown, ...(await ensureSchema(database, true)) };
  } finally {
    await database.end().catch(() => undefined);
  }
}
