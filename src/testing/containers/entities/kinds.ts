import { compileRegistry } from '../../../kong-end/index.ts';
import type { EntityDefinition, FieldSchema, NamedField, Registry } from '../../../kong-end/index.ts';

interface Shape {
  /** Fields that tell one entity from all others, each alone; the first one is in the paths of Kong's Admin API. */
  readonly unique?: readonly string[];
  /** Fields that do so together. */
  readonly together?: readonly string[];
  /** Fields that point to other entities, and the kind of these. An entity may be nested in what it points to. */
  readonly to?: Readonly<Record<string, string>>;
  /** The collection's path in the Admin API where it is not the kind's name. */
  readonly path?: string;
}

/** What of a kind has to be known to put it where it belongs; all else is Kong's to check. */
function kind(name: string, { unique = [], together, to = {}, path }: Shape): EntityDefinition {
  const [endpointKey] = unique;
  const one = (field: string): NamedField => ({ [field]: { type: 'string', unique: true } });
  const foreign = ([field, reference]: [string, string]): NamedField => ({
    [field]: { type: 'foreign', reference } satisfies FieldSchema,
  });
  return {
    name,
    ...(endpointKey === undefined ? {} : { endpointKey }),
    ...(together === undefined ? {} : { cacheKey: together }),
    ...(path === undefined ? {} : { adminName: path }),
    fields: [...unique.map(one), ...Object.entries(to).map(foreign)],
  };
}

const ofConsumer = { consumer: 'consumers' };

/** Kong's kinds of entities (3.9, and consumer groups of the Enterprise edition), parents before what is nested in them. */
export const kinds: Registry = compileRegistry([
  // Kong has no name for these two: their text tells them from others.
  kind('ca_certificates', { unique: ['cert'] }),
  kind('certificates', { unique: ['cert'] }),
  kind('snis', { unique: ['name'], to: { certificate: 'certificates' } }),
  kind('vaults', { unique: ['prefix'] }),
  kind('key_sets', { unique: ['name'], path: 'key-sets' }),
  kind('keys', { unique: ['name'], together: ['kid', 'set'], to: { set: 'key_sets' } }),
  kind('services', { unique: ['name'], to: { client_certificate: 'certificates' } }),
  kind('routes', { unique: ['name'], to: { service: 'services' } }),
  kind('consumer_groups', { unique: ['name'] }),
  kind('consumers', { unique: ['username', 'custom_id'] }),
  kind('acls', { together: ['consumer', 'group'], to: ofConsumer }),
  kind('basicauth_credentials', { unique: ['username'], to: ofConsumer, path: 'basic-auths' }),
  kind('hmacauth_credentials', { unique: ['username'], to: ofConsumer, path: 'hmac-auths' }),
  kind('jwt_secrets', { unique: ['key'], to: ofConsumer, path: 'jwts' }),
  kind('keyauth_credentials', { unique: ['key'], to: ofConsumer, path: 'key-auths' }),
  kind('oauth2_credentials', { unique: ['client_id'], to: ofConsumer, path: 'oauth2' }),
  kind('upstreams', { unique: ['name'], to: { client_certificate: 'certificates' } }),
  kind('targets', { together: ['upstream', 'target'], to: { upstream: 'upstreams' } }),
  kind('filter_chains', {
    unique: ['name'],
    together: ['route', 'service'],
    to: { route: 'routes', service: 'services' },
    path: 'filter-chains',
  }),
  kind('plugins', {
    unique: ['instance_name'],
    together: ['name', 'route', 'service', 'consumer', 'consumer_group'],
    to: { route: 'routes', service: 'services', ...ofConsumer, consumer_group: 'consumer_groups' },
  }),
]);
