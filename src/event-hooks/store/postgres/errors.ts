import { KongTsError, messageOf } from '../../../base/errors.ts';
import type { Place } from './place.ts';

/** What can be done, by the code of PostgreSQL (SQLSTATE) or of the system. */
const fixes: Readonly<Record<string, string>> = {
  '28P01':
    'The password is wrong or missing: --store-password-file, PGPASSWORD or the file of PGPASSFILE has it.',
  '28000': 'The user may not log in: see the server’s pg_hba.conf.',
  '3D000': 'There is no such database: make it, or name another one.',
  '42501':
    'The user lacks a right: let it own the schema, or have CREATE on the database for the first start (GRANT CREATE ON DATABASE ... TO ...).',
  '25006':
    'The server is read-only, as a standby is: name the primary, or a name that follows it after a failover.',
  '53300': 'The server has too many connections: raise max_connections, or put PgBouncer before it.',
  '53100': 'The disk of the server is full: make room.',
  '57P03': 'The server is starting up or shutting down.',
  '3F000': 'The schema is gone: run kong-ts hooks migrate.',
  '42P01': 'A table is missing: restore the schema from a backup, or drop it and run kong-ts hooks migrate.',
  '42883': 'A function of the schema is missing: a newer program may have changed it.',
  ENOTFOUND: 'The host has no address: look at its name.',
  ECONNREFUSED: 'Nobody listens there: look at host and port, and whether the server runs.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Name the certificate authority with sslrootcert=FILE.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Name the certificate authority with sslrootcert=FILE.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Name the certificate authority with sslrootcert=FILE.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Name the certificate authority with sslrootcert=FILE.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is not for this host name.',
};

/** The code of what a driver has thrown; null: it has none. */
export function codeOf(thrown: unknown): string | null {
  const { code, errors } = (thrown ?? {}) as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : null;
}

/** The error of the store, in one sentence or two: which database, what, and what can be done. */
export function storeError(place: Place, thrown: unknown): KongTsError {
  if (thrown instanceof KongTsError) return thrown;
  const code = codeOf(thrown);
  const inner = (thrown as { errors?: readonly unknown[] } | null)?.errors?.[0];
  const text = messageOf(inner ?? thrown).replace(/\.$/, '');
  const fix = code === null ? undefined : fixes[code];
  return new KongTsError(
    'STORE_FAILED',
    `The event hook store in PostgreSQL (${place.shown}) failed: ${text}.`,
    {
      cause: thrown,
      ...(fix === undefined ? {} : { fix }),
    },
  );
}
