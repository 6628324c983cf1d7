import type { EventDeclaration } from '../model/event.ts';

const entities = [
  'acls',
  'basicauth_credentials',
  'ca_certificates',
  'certificates',
  'consumer_groups',
  'consumers',
  'hmacauth_credentials',
  'jwt_secrets',
  'key_sets',
  'keyauth_credentials',
  'keys',
  'oauth2_credentials',
  'plugins',
  'routes',
  'services',
  'snis',
  'targets',
  'upstreams',
  'vaults',
  'workspaces',
];
const operations = ['create', 'update', 'delete'] as const;

/** The sources that Kong itself feeds; they are listed whether or not anything watches a Kong yet. */
export function builtinSources(): EventDeclaration[] {
  const fields = ['operation', 'entity', 'old_entity', 'schema'];
  return [
    ...operations.map((event) => ({ source: 'dao:crud', event, fields })),
    ...entities.flatMap((entity) =>
      [entity, ...operations.map((operation) => `${entity}:${operation}`)].map((event) => ({
        source: 'crud',
        event,
        fields,
      })),
    ),
    {
      source: 'balancer',
      event: 'health',
      fields: ['upstream_id', 'ip', 'port', 'hostname', 'health'],
      unique: ['upstream_id', 'ip', 'port'],
    },
  ];
}
