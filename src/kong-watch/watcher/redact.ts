import { setOwn } from '../../base/set-own.ts';

/**
 * Fields of entities that hold secrets, by schema; `*` counts for all. Names as Kong 3.9.3 shows them, and what the
 * Enterprise entities' documentation lists.
 */
const secretFields: Readonly<Record<string, readonly string[]>> = {
  '*': [
    'password',
    'secret',
    'client_secret',
    'private_key',
    'rbac_token',
    'user_token',
    'access_token',
    'refresh_token',
  ],
  certificates: ['key', 'key_alt'],
  keyauth_credentials: ['key'],
  keyauth_enc_credentials: ['key'],
  basicauth_credentials: ['password'],
  hmacauth_credentials: ['secret'],
  jwt_secrets: ['secret', 'key'],
  oauth2_credentials: ['client_secret'],
  oauth2_tokens: ['access_token', 'refresh_token'],
  acme_storage: ['value'],
  sessions: ['data', 'session_id'],
  keys: ['jwk', 'pem'],
  vaults: ['config'],
  licenses: ['payload'],
};

/** Names that hold a secret wherever they stand, as in the configuration of a plugin or the headers that it sets. */
const secretName = new RegExp(
  [
    '(^|[_-])(passwords?|passwd|passphrase|secrets?|tokens?|credentials?|cookies?|jwk|dsn)$',
    '(^|[_-])(api|private|access|encryption|shared|signing|license|master|account|storage|function)[_-]?keys?$',
    '(^|[_-])(connection_string|service_account_json|header_value|param_value)$',
    '(^|-)authorization$',
  ].join('|'),
  'i',
);

/** Names whose texts are secrets within a plugin's configuration: `hmac_key`, `provision_key`, `aws_secret`, `auth`. */
const configuredSecret = /(key|auth|secret|password|token)$/i;

/** A copy without secrets: it leaves their fields out, at any depth. A reference to another entity is not a secret. */
export function withoutSecrets(schema: string, entity: Record<string, unknown>): Record<string, unknown> {
  const names = new Set([...(secretFields['*'] ?? []), ...(secretFields[schema] ?? [])]);
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entity)) {
    if (names.has(name)) continue;
    if (isReference(value)) setOwn(copy, name, value);
    else if (!secretName.test(name)) setOwn(copy, name, cleaned(value, name === 'config'));
  }
  return copy;
}

function isReference(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'id' in value && Object.keys(value).length === 1;
}

/** @param configured whether it is part of a configuration */
function cleaned(value: unknown, configured: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => cleaned(item, configured));
  if (typeof value === 'string') return withoutUserInfo(withoutHeaderValue(value));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (configured && typeof member === 'string' && configuredSecret.test(name)) continue;
    if (!secretName.test(name)) setOwn(copy, name, cleaned(member, configured));
  }
  return copy;
}

/** `authorization:Bearer x`, as plugins that add headers are given them, tells its name only. */
function withoutHeaderValue(text: string): string {
  const [, name] = /^([\w-]+)\s*:(?!\/\/)/.exec(text) ?? [];
  return name !== undefined && secretName.test(name) ? `${name}:` : text;
}

/** `http://user:password@host/` tells its host only. */
function withoutUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, '$1');
}
