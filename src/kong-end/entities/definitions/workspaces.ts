import { autoTimestamp, utf8Name, uuid } from '../typedefs.ts';
import type { EntityDefinition } from './kind.ts';

/** Names that would hide a collection of the Admin API. */
const reserved = [
  ...[
    'workspaces',
    'consumers',
    'certificates',
    'services',
    'routes',
    'snis',
    'upstreams',
    'targets',
    'plugins',
  ],
  ...['tags', 'ca_certificates', 'clustering_data_planes', 'parameters', 'vaults', 'key_sets', 'keys'],
  'filter_chains',
];

export const workspaces: EntityDefinition = {
  name: 'workspaces',
  endpointKey: 'name',
  noAdminApi: true,
  global: true,
  fields: [
    { id: uuid },
    { name: { ...utf8Name, required: true, not_one_of: reserved } },
    { comment: { type: 'string' } },
    { created_at: autoTimestamp },
    { updated_at: autoTimestamp },
    { meta: { type: 'record', required: true, fields: [] } },
    { config: { type: 'record', required: true, fields: [] } },
  ],
};
