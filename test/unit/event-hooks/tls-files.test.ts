import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTlsFiles } from '../../../src/event-hooks/serve/tls-files.ts';
import { selfSigned } from '../../../src/sandbox/gateway/self-signed.ts';
import { kongTsError } from '../../support/errors.ts';

let folder: string;
let ca: string;
let cert: string;
let key: string;
let otherKey: string;
const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-tls-files-'));
  const own = selfSigned();
  const other = selfSigned();
  ca = write('ca.pem', `Two of them:\n${own.cert}\nand\n${other.cert}`);
  cert = write('cert.pem', own.cert);
  key = write('key.pem', own.key);
  otherKey = write('other-key.pem', other.key);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const refusal = (pattern: RegExp): Error => kongTsError('FILE_UNREADABLE', pattern);

describe('the TLS files of the gRPC listener', () => {
  it('are read where they can be used', () => {
    expect(readTlsFiles(ca, cert, key)?.ca).toMatch(/^Two of them/);
    expect(readTlsFiles()).toBeNull();
  });

  it('belong together', () => {
    expect(() => readTlsFiles(ca, cert)).toThrow(kongTsError('USAGE', /belong together/));
  });

  it.each([
    ['is empty', ''],
    ['is not text', '\u0000\u00ff garbage'],
    ['is cut off in its head', '-----BEGIN CERTIFICATE-----\nMIIB'],
    ['holds no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('are refused by name and flag where one %s', (_what, text) => {
    const file = write('bad.pem', text);
    expect(() => readTlsFiles(file, cert, key)).toThrow(refusal(/bad\.pem \(--tls-ca\) cannot be used/));
    expect(() => readTlsFiles(ca, file, key)).toThrow(refusal(/bad\.pem \(--tls-cert\) cannot be used/));
    expect(() => readTlsFiles(ca, cert, file)).toThrow(refusal(/bad\.pem \(--tls-key\) cannot be used/));
  });

  it('are refused where the second certificate of the authorities is cut off', () => {
    const file = write(
      'half.pem',
      `${readTlsFiles(ca, cert, key)?.cert ?? ''}-----BEGIN CERTIFICATE-----\nMIIB`,
    );
    expect(() => readTlsFiles(file, cert, key)).toThrow(refusal(/half\.pem \(--tls-ca\)/));
  });

  it('are refused where the key is that of another certificate, or a certificate stands for it', () => {
    expect(() => readTlsFiles(ca, cert, otherKey)).toThrow(refusal(/--tls-key.*mismatch/));
    expect(() => readTlsFiles(ca, cert, cert)).toThrow(refusal(/--tls-key/));
    expect(() => readTlsFiles(ca, key, key)).toThrow(refusal(/--tls-cert.*no certificate/));
  });

  it('are refused where one is a folder, or not there', () => {
    expect(() => readTlsFiles(folder, cert, key)).toThrow(refusal(/cannot be read: it is a folder/));
    expect(() => readTlsFiles(ca, path.join(folder, 'nowhere'), key)).toThrow(
      refusal(/nowhere cannot be read/),
    );
  });
});
