import { X509Certificate } from 'node:crypto';
import type { FieldSchema, NamedField } from '../schema/index.ts';
import type { EntityDefinition, EntityKind } from '../entities/index.ts';
import { compileRegistry } from '../entities/index.ts';
import { autoTimestamp, foreign, pluginProtocols, tags, utf8Name, uuid } from '../entities/typedefs.ts';
import { certificate } from '../entities/validators.ts';

/** The checks of Kong's entities before the sandbox passes them over. Kong 3.9.3 makes all of them at its start. */

const text: FieldSchema = { type: 'string' };
const needed: FieldSchema = { type: 'string', required: true };
const anything: FieldSchema = { type: 'map', keys: text, values: { type: 'any' } };
const common: readonly NamedField[] = [{ id: uuid }, { created_at: autoTimestamp }];
const changed: readonly NamedField[] = [...common, { updated_at: autoTimestamp }, { tags }];
const scope = (reference: string): FieldSchema => foreign(reference, { on_delete: 'cascade' });
const credential = (name: string, ...fields: NamedField[]): EntityDefinition => ({
  name,
  fields: [...common, { consumer: foreign('consumers', { required: true }) }, ...fields, { tags }],
});

const algorithms = [256, 384, 512].flatMap((bits) =>
  ['HS', 'RS', 'ES', 'PS'].map((kind) => `${kind}${String(bits)}`),
);

const definitions: readonly EntityDefinition[] = [
  {
    name: 'plugins',
    fields: [
      ...changed,
      { name: needed },
      { instance_name: utf8Name },
      { route: scope('routes') },
      { service: scope('services') },
      { consumer: scope('consumers') },
      // Its contents are a matter of the plugin, which is written in Lua.
      { config: anything },
      { protocols: pluginProtocols },
      { enabled: { type: 'boolean', required: true, default: true } },
    ],
  },
  {
    name: 'vaults',
    fields: [
      ...changed,
      { prefix: { ...needed, match: '^[a-z][a-z%d-]-[a-z%d]+$', not_one_of: ['env'] } },
      { name: { ...needed, one_of: ['env'], err: 'vault is not installed' } },
      { description: text },
      { config: anything },
    ],
  },
  {
    name: 'ca_certificates',
    fields: [...changed, { cert: { ...needed, custom_validator: certificate } }, { cert_digest: text }],
    entity_checks: [{ custom_entity_check: { field_sources: ['cert'], fn: authorityError } }],
  },
  { name: 'key_sets', fields: [...changed, { name: text }] },
  {
    name: 'keys',
    fields: [
      ...changed,
      { set: foreign('key_sets') },
      { name: text },
      { kid: needed },
      { jwk: text },
      { pem: { type: 'record', fields: [{ private_key: text }, { public_key: text }] } },
    ],
    entity_checks: [{ mutually_exclusive: ['jwk', 'pem'] }, { at_least_one_of: ['jwk', 'pem'] }],
  },
  {
    name: 'filter_chains',
    fields: [
      ...changed,
      { name: utf8Name },
      { enabled: { type: 'boolean', required: true, default: true } },
      { route: scope('routes') },
      { service: scope('services') },
      { filters: { type: 'array', required: true, len_min: 1, elements: anything } },
    ],
    entity_checks: [{ mutually_exclusive: ['service', 'route'] }, { at_least_one_of: ['service', 'route'] }],
  },
  credential('acls', { group: needed }),
  credential('basicauth_credentials', { username: needed }, { password: needed }),
  credential('hmacauth_credentials', { username: needed }, { secret: text }),
  credential(
    'jwt_secrets',
    { key: text },
    { secret: text },
    { rsa_public_key: text },
    { algorithm: { ...text, default: 'HS256', one_of: [...algorithms, 'EdDSA'] } },
  ),
  {
    name: 'oauth2_tokens',
    fields: [
      ...common,
      { service: scope('services') },
      { credential: foreign('oauth2_credentials', { required: true }) },
      { token_type: { ...needed, one_of: ['bearer'], default: 'bearer' } },
      { expires_in: { type: 'integer', required: true } },
      { access_token: text },
      { refresh_token: text },
      { authenticated_userid: text },
      { scope: text },
    ],
  },
  credential(
    'oauth2_credentials',
    { name: needed },
    { client_id: text },
    { client_secret: text },
    { hash_secret: { type: 'boolean', required: true, default: false } },
    { redirect_uris: { type: 'array', elements: text } },
    { client_type: { ...needed, default: 'confidential', one_of: ['confidential', 'public'] } },
  ),
];

function authorityError(get: (field: string) => unknown): string | undefined {
  const cert = String(get('cert'));
  if (cert.split('-----BEGIN CERTIFICATE-----').length > 2)
    return 'please submit only one certificate at a time';
  const { ca, validToDate } = new X509Certificate(cert);
  if (validToDate.getTime() < Date.now()) return 'certificate expired, "Not After" time is in the past';
  return ca
    ? undefined
    : 'certificate does not appear to be a CA because it is missing the "CA" basic constraint';
}

/** Sections that are checked, although their entities change nothing in the sandbox. */
export const passedOverSections = definitions.map(({ name }) => name).filter((name) => name !== 'plugins');

const registry = compileRegistry(definitions);

/** The kind of an entity that is passed over: a section, or `plugins`. */
export const passedOverKind = (name: string): EntityKind => registry.kind(name);
