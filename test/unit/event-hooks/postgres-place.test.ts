import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { storeError } from '../../../src/event-hooks/store/postgres/errors.ts';
import { readPlace } from '../../../src/event-hooks/store/postgres/place.ts';

describe('the name of a store in PostgreSQL', () => {
  it('says where the database is, who logs in, and what is ours there', () => {
    expect(readPlace('postgres://me:p%40ss@db.example/kong')).toMatchObject({
      shown: 'db.example:5432/kong',
      host: 'db.example',
      port: 5432,
      database: 'kong',
      user: 'me',
      password: 'p@ss',
      schema: 'kong_ts_hooks',
      ssl: false,
      migrates: true,
    });
    expect(readPlace('postgresql://[::1]:6000/kong?schema=mine&migrate=off', 'from a file')).toMatchObject({
      shown: '[::1]:6000/kong',
      host: '::1',
      schema: 'mine',
      migrates: false,
      password: 'from a file',
    });
    expect(readPlace('postgres://me@%2Frun%2Fpostgresql/kong').host).toBe('/run/postgresql');
  });

  it('asks for the certificate that it names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kong-ts-place-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, 'a certificate');
    const url = 'postgres://me@db.example/kong';
    expect(readPlace(`${url}?sslmode=verify-full&sslrootcert=${ca}`).ssl).toEqual({
      ca: 'a certificate',
      rejectUnauthorized: true,
      servername: 'db.example',
    });
    expect(readPlace(`${url}?sslmode=require`).ssl).toMatchObject({ rejectUnauthorized: false });
  });

  it.each([
    ['postgres://me@host', /names no database/],
    ['postgres://me@host/', /names no database/],
    ['postgres:///kong', /names no host/],
    ['postgres://me@host:port/kong', /is no URL/],
    ['postgres://me@host/kong?sslmode=prefer', /sslmode is one of disable, require, verify-ca, verify-full/],
    ['postgres://me@host/kong?sslrootcert=/x', /sslrootcert needs a sslmode, best verify-full/],
    ['postgres://me@host/kong?sslmode=verify-full&sslrootcert=/nowhere', /\/nowhere \(sslrootcert/],
    ['postgres://me@host/kong?sslmode=verify-full&sslcert=/dev/null', /belong together/],
    ['postgres://me@host/kong?schema=Mine', /lower case/],
    ['postgres://me@host/kong?schema=a;drop', /lower case/],
    ['postgres://me@host/kong?migrate=maybe', /on or off/],
    ['postgres://me@host/kong?target=x', /the parameter "target"/],
  ])('%j is refused, and the password is not repeated', (name, message) => {
    const secret = name.replace('me@', 'me:hush@');
    expect(() => readPlace(secret)).toThrow(message);
    expect(() => readPlace(secret)).not.toThrow(/hush/);
  });
});

it('an error of the database says which one, what, and what can be done', () => {
  const place = readPlace('postgres://me:hush@host/kong');
  const inner: Error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const refused = new AggregateError([inner]);
  expect(storeError(place, refused).message).toBe(
    'The event hook store in PostgreSQL (host:5432/kong) failed: connect ECONNREFUSED. Nobody listens there: look at host and port, and whether the server runs.',
  );
  const readOnly = Object.assign(new Error('cannot execute INSERT'), { code: '25006' });
  expect(storeError(place, readOnly).message).toMatch(/name the primary/);
});
