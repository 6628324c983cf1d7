import { readFileSync } from 'node:fs';
import { KongTsError, messageOf } from '../../../base/errors.ts';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** Where a database is, how it is reached, and the schema that is ours there. */
export interface Place {
  /** Without the password, for messages. */
  readonly shown: string;
  readonly schema: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string | undefined;
  /** Undefined: PGPASSWORD, or the file that PGPASSFILE names (else ~/.pgpass). */
  readonly password: string | undefined;
  readonly ssl: false | ConnectionOptions;
  /** Make and change the schema at the start. */
  readonly migrates: boolean;
}

const modes = ['disable', 'require', 'verify-ca', 'verify-full'];
const known = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'schema', 'migrate'];

/**
 * Reads `postgres://user@host:port/database?sslmode=verify-full&sslrootcert=/path`. `schema` names another schema than
 * `kong_ts_hooks`, `migrate=off` leaves its making and changing to `kong-ts hooks migrate`.
 * @param password wins over the URL's
 * @throws KongTsError USAGE that names what is wrong; FILE_UNREADABLE for a certificate
 */
export function readPlace(name: string, password?: string): Place {
  const url = URL.canParse(name) ? new URL(name) : null;
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) throw wrong('it is no URL');
  const unknown = [...url.searchParams.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) throw wrong(`it has the parameter "${unknown}", known are ${known.join(', ')}`);
  const option = (key: string): string | undefined => url.searchParams.get(key) ?? undefined;
  const database = decoded(url.pathname.slice(1));
  if (database === '' || database.includes('/')) throw wrong('it names no database behind the host');
  const host = decoded(url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw wrong('it names no host');
  const schema = option('schema') ?? 'kong_ts_hooks';
  if (!/^[a-z_][a-z0-9_]{0,47}$/.test(schema))
    throw wrong('the schema is a name of lower case letters, digits and _, at most 48');
  const migrate = option('migrate') ?? 'on';
  if (migrate !== 'on' && migrate !== 'off') throw wrong('migrate is on or off');
  const port = url.port === '' ? 5432 : Number(url.port);
  const given = url.password === '' ? undefined : decoded(url.password);
  return {
    shown: `${isIP(host) === 6 ? `[${host}]` : host}:${String(port)}/${database}`,
    schema,
    host,
    port,
    database,
    user: url.username === '' ? undefined : decoded(url.username),
    password: password ?? given,
    ssl: readTls(option, host),
    migrates: migrate === 'on',
  };
}

function readTls(option: (key: string) => string | undefined, host: string): false | ConnectionOptions {
  const mode = option('sslmode') ?? 'disable';
  const files = ['sslrootcert', 'sslcert', 'sslkey'].filter((key) => option(key) !== undefined);
  if (!modes.includes(mode)) throw wrong(`sslmode is one of ${modes.join(', ')}`);
  if (mode === 'disable') {
    if (files[0] !== undefined) throw wrong(`${files[0]} needs a sslmode, best verify-full`);
    return false;
  }
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => readPem(name, option(name)));
  if ((cert === undefined) !== (key === undefined)) throw wrong('sslcert and sslkey belong together');
  if (mode === 'require' && ca !== undefined)
    throw wrong('sslmode=require checks no certificate: with sslrootcert write verify-full');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: mode !== 'require',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function readPem(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new KongTsError(
      'FILE_UNREADABLE',
      `The file ${path} (${name} of the store) cannot be read: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

/** A lone `%` is a `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// The name itself is not repeated: it may hold a password.
const wrong = (why: string): KongTsError =>
  new KongTsError('USAGE', `The name of the store in PostgreSQL is not understood: ${why}.`, {
    fix: 'Write postgres://USER@HOST:PORT/DATABASE.',
  });
