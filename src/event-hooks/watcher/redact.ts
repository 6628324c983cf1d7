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

/** Names that hold a secret wherever they stand, as in the configuration of a plugin. */
const secretName =
  /(^|_)(passwords?|passwd|secrets?|tokens?|api_?keys?|private_key|credentials?)$|^authorization$/i;

/** A copy without secrets: the fields are left out, at the top and, for plugins, at any depth of the configuration. */
export function withoutSecrets(schema: string, entity: Record<string, unknown>): Record<string, unknown> {
  const names = new Set([...(secretFields['*'] ?? []), ...(secretFields[schema] ?? [])]);
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entity)) {
    if (names.has(name)) continue;
    define(copy, name, name === 'config' ? cleaned(value) : value);
  }
  return copy;
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value === 'string') return withoutUserInfo(value);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (!secretName.test(name)) define(copy, name, cleaned(member));
  }
  return copy;
}

/** `http://user:password@host/` tells its host only. */
function withoutUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, '$1');
}

/** A name such as `__proto__` is data like any other. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}
