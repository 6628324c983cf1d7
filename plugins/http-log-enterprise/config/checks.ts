import { KongTsError } from 'kong-ts';
import type { Config } from './schema.ts';

/** Kong's text for credentials given twice (http-log of Kong 3.9.3). */
export const bothCredentials =
  "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed";

/** Kong puts an empty text in the place of a reference that it cannot resolve (Kong 3.9, warning in its log). */
const emptyReference =
  'is empty; if it is a reference ({vault://...}), Kong could not resolve it: check that the vault and the secret exist';

const invalid = (problem: string, fix?: string): KongTsError =>
  new KongTsError('CONFIG_INVALID', problem, fix === undefined ? {} : { fix });

/** Finds user info as LuaSocket does, for which a query does not end the authority. */
const hasUserInfo = (url: string): boolean => /^[a-z0-9][a-z0-9+.-]*:\/\/[^/#]*@/i.test(url);

/** Kong resolves references before it starts an instance; one that is still there would be sent as it stands. */
function checkReferences(config: Config): void {
  const values: [string, string | undefined][] = [
    ['http_endpoint', config.http_endpoint],
    ['ca_certificate', config.ca_certificate],
    ['client_certificate', config.client_certificate],
    ['client_key', config.client_key],
    ...(config.failover_endpoints ?? []).map((url, i): [string, string] => [
      `failover_endpoints.${i + 1}`,
      url,
    ]),
    ...Object.entries(config.headers ?? {}).map(([name, value]): [string, string] => [
      `headers.${name}`,
      value,
    ]),
  ];
  for (const [field, value] of values) {
    if (value === '') throw invalid(`config.${field}: ${emptyReference}.`);
    if (value?.startsWith('{vault://') !== true) continue;
    throw invalid(
      `config.${field}: the reference '${value}' was not resolved by Kong.`,
      'Check that the vault and the secret exist; Kong passes a reference that it cannot resolve on as it is.',
    );
  }
}

/** A header value holds no control characters but tabs. */
const isSendable = (value: string): boolean =>
  [...value].every((character) => character === '\t' || (character >= ' ' && character !== '\x7f'));

const isToken = (text: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(text);

function checkHeaders(config: Config): void {
  for (const [name, value] of Object.entries(config.headers ?? {})) {
    const lower = name.toLowerCase();
    if (!/^[a-zA-Z0-9_-]+$/.test(name)) {
      throw invalid(
        `config.headers: bad header name '${name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'.`,
      );
    }
    if (!isSendable(value)) {
      throw invalid(
        `config.headers.${name}: a header value cannot contain line breaks or other control characters.`,
      );
    }
    if (lower === 'connection' && !value.split(',').every((option) => isToken(option.trim()))) {
      throw invalid('config.headers.Connection: expected close or keep-alive.');
    }
    if (lower === 'authorization' && hasUserInfo(config.http_endpoint)) {
      throw invalid(`config: ${bothCredentials}.`, 'Remove one of the two.');
    }
  }
}

/** nginx takes 31 bits of milliseconds for the timeout of a socket. */
const longestTimeout = 0x7fffffff;

/** http-log fails on every record with such a timeout (`bad timeout value`). */
function checkTimeout({ timeout }: Config): void {
  if (Math.trunc(timeout) >= 0 && timeout <= longestTimeout) return;
  throw invalid(
    `config.timeout: bad timeout value ${timeout}, expected 0 to ${longestTimeout} milliseconds.`,
    'Use 10000, the default.',
  );
}

function checkCertificates({ ca_certificate: ca, client_certificate: cert, client_key: key }: Config): void {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid('config.client_certificate and config.client_key go together.', 'Set both or none.');
  }
  if (ca === undefined && cert === undefined) return;
  try {
    process.getBuiltinModule('node:tls').createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert, key }),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KongTsError(
      'CONFIG_INVALID',
      `config.ca_certificate, config.client_certificate or config.client_key: ${reason}.`,
      { cause, fix: 'Each has to be PEM, and the key has to be that of the certificate.' },
    );
  }
}

/**
 * Checks when an instance starts: what Kong's http-log checks in Lua functions, and what http-log accepts although it
 * could send no record with it. (The Lua of custom fields is checked when it is compiled.)
 *
 * @throws KongTsError CONFIG_INVALID naming the field
 */
export function checkConfig(config: Config): void {
  checkReferences(config);
  checkHeaders(config);
  checkTimeout(config);
  checkCertificates(config);
}
