import { KongTsError } from 'kong-ts';
import type { Config } from './schema.ts';

/** Kong's text for credentials given twice (http-log of Kong 3.9.3). */
export const bothCredentials =
  "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed";

const hasUserInfo = (url: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(url);

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
    if (value?.startsWith('{vault://') !== true) continue;
    throw new KongTsError(
      'CONFIG_INVALID',
      `config.${field}: the reference '${value}' was not resolved by Kong.`,
      {
        fix: 'Check that the vault and the secret exist; Kong passes a reference that it cannot resolve on as it is.',
      },
    );
  }
}

function checkHeaders(config: Config): void {
  for (const [name, value] of Object.entries(config.headers ?? {})) {
    if (!/^[a-zA-Z0-9_-]+$/.test(name)) {
      throw new KongTsError(
        'CONFIG_INVALID',
        `config.headers: bad header name '${name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'.`,
      );
    }
    if ([...value].some((character) => character === '\r' || character === '\n' || character === '\0')) {
      throw new KongTsError(
        'CONFIG_INVALID',
        `config.headers.${name}: a header value cannot contain line breaks.`,
      );
    }
    if (name.toLowerCase() === 'authorization' && hasUserInfo(config.http_endpoint)) {
      throw new KongTsError('CONFIG_INVALID', `config: ${bothCredentials}.`, {
        fix: 'Remove one of the two.',
      });
    }
  }
}

/**
 * What Kong's http-log checks in Lua functions, checked when an instance starts. (The Lua of custom fields is checked when
 * it is compiled.)
 *
 * @throws KongTsError CONFIG_INVALID naming the field
 */
export function checkConfig(config: Config): void {
  checkReferences(config);
  checkHeaders(config);
  if ((config.client_certificate === undefined) !== (config.client_key === undefined)) {
    throw new KongTsError('CONFIG_INVALID', 'config.client_certificate and config.client_key go together.', {
      fix: 'Set both or none.',
    });
  }
}
