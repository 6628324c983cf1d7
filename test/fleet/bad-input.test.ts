import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/event-hooks/log.ts';
import { migrateStore } from '../../src/event-hooks/serve/index.ts';
import { openStore } from '../../src/event-hooks/store/open.ts';
import { PostgresServer } from '../support/postgres/server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start({ fsync: 'off' });
  await sql(
    'CREATE ROLE guest LOGIN',
    'CREATE DATABASE latin ENCODING LATIN1 LOCALE "C" TEMPLATE template0',
    'CREATE DATABASE quiet',
    'ALTER DATABASE quiet SET default_transaction_read_only = on',
  );
});
afterAll(() => server.remove());

async function sql(...texts: string[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  let last: pg.QueryResult | undefined;
  for (const text of texts) last = await client.query(text);
  await client.end();
  if (last === undefined) throw new Error('no statement');
  return last;
}
const open = (url: string) => openStore(url, { synchronous: 'normal', log: silentLog });
const exists = async (schema: string): Promise<boolean> =>
  (await sql(`SELECT to_regnamespace('${schema}') IS NOT NULL AS there`)).rows.some(
    (row: { there?: unknown }) => row.there === true,
  );

describe('a store in PostgreSQL that cannot be used says so in one clear sentence', () => {
  it('nobody listens', async () => {
    await expect(open('postgres://kong@127.0.0.1:1/postgres')).rejects.toThrow(
      /PostgreSQL \(127\.0\.0\.1:1\/postgres\) failed: connect ECONNREFUSED.*Nobody listens there/,
    );
  });
  it('there is no such database', async () => {
    await expect(open(server.url('nowhere'))).rejects.toThrow(
      /database "nowhere" does not exist\. There is no such database: make it/,
    );
  });
  it('the user has no rights, and nothing is half made', async () => {
    const url = server.url('postgres', '?schema=guests').replace('kong@', 'guest@');
    await expect(open(url)).rejects.toThrow(/permission denied.*lacks a right.*GRANT CREATE/);
    expect(await exists('guests')).toBe(false);
  });
  it('the server is read-only', async () => {
    await expect(open(server.url('quiet'))).rejects.toThrow(
      /is read-only, as a standby is\. Name the primary/,
    );
  });
  it('the database is not UTF-8', async () => {
    await expect(open(server.url('latin'))).rejects.toThrow(
      /has the encoding LATIN1\. Make the database with/,
    );
  });
  it('the schema is of a newer program, and stays as it is', async () => {
    const url = server.url('postgres', '?schema=newer');
    await (await open(url)).close();
    await sql('UPDATE newer.version SET version = 99');
    const message =
      /The schema newer has version 99, made by a newer program: this one knows versions up to \d/;
    await expect(open(url)).rejects.toThrow(message);
    await expect(migrateStore(url, undefined, {})).rejects.toThrow(message);
    expect((await sql('SELECT version FROM newer.version')).rows).toEqual([{ version: 99 }]);
  });
  it('there is no schema, and the start must not make one; the command makes it', async () => {
    const url = server.url('postgres', '?schema=later&migrate=off');
    await expect(open(url)).rejects.toThrow(/The schema later .* is not there\. Run kong-ts hooks migrate/);
    expect(await exists('later')).toBe(false);
    expect(await migrateStore(url, undefined, {})).toMatchObject({ schema: 'later', from: 0, to: 1 });
    expect(await migrateStore(undefined, undefined, { KONG_TS_HOOKS_STORE: url })).toMatchObject({ from: 1 });
    await (await open(url)).close();
  });
  it('is made once, however many nodes start at the same time', async () => {
    const url = server.url('postgres', '?schema=together');
    const stores = await Promise.all(Array.from({ length: 6 }, () => open(url)));
    await Promise.all(stores.map((store) => store.close()));
    expect((await sql('SELECT version FROM together.version')).rows).toEqual([{ version: 1 }]);
  });
});
