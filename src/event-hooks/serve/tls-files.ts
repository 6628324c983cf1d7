import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import { usage } from './flags.ts';

/** The certificates of a gRPC listener over TCP without a token: texts in PEM. */
export interface TlsFiles {
  /** The authorities whose certificates callers may have. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads the files of `--tls-ca`, `--tls-cert` and `--tls-key`, and checks that they can be used. Otherwise nobody would
 * hear of an authority that does not parse, and no caller would get in.
 *
 * @returns null where none of them is named
 * @throws KongTsError USAGE when some are missing, FILE_UNREADABLE naming the file and the flag
 */
export function readTlsFiles(ca?: string, cert?: string, key?: string): TlsFiles | null {
  if (ca === undefined && cert === undefined && key === undefined) return null;
  if (ca === undefined || cert === undefined || key === undefined)
    throw usage('--tls-ca, --tls-cert and --tls-key belong together');
  const files = { ca: read(ca), cert: read(cert), key: read(key) };
  check(ca, '--tls-ca', () => checkCertificates(files.ca));
  check(cert, '--tls-cert', () => checkCertificates(files.cert));
  check(key, '--tls-key', () => {
    createPrivateKey(files.key);
    createSecureContext({ cert: files.cert, key: files.key });
  });
  return files;
}

function read(file: string): string {
  try {
    return readText(file, 1024 * 1024);
  } catch (error) {
    throw new KongTsError('FILE_UNREADABLE', `${file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

const certificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*(?:-----END (?:TRUSTED |X509 )?CERTIFICATE-----)?/g;

function checkCertificates(text: string): void {
  const found = text.match(certificate) ?? [];
  if (found.length === 0) throw new Error('there is no certificate in it');
  for (const each of found) new X509Certificate(each);
}

function check(file: string, flag: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw new KongTsError('FILE_UNREADABLE', `${file} (${flag}) cannot be used: ${messageOf(error)}.`, {
      cause: error,
      fix: 'Certificates and keys are text in PEM; the key has to be that of the certificate.',
    });
  }
}
